"""Players by name: `random`, `search`, `rollouts`, `perfect`, `minimax`, `minimax:8`, an engine, or the path of a model.

An engine is another program: `gtp: COMMAND` or `uci: COMMAND`, by the protocol that it speaks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.evaluators.onnx_file import Prepare, load_prepared
from trainer.evaluators.uniform import uniform
from trainer.games.solving.solvers import solver_of
from trainer.players.base import Player, RandomPlayer
from trainer.players.engines import GtpPlayer, UciPlayer, own_go
from trainer.players.function import FunctionPlayer, function_in_file
from trainer.players.minimax import MinimaxPlayer
from trainer.players.network import model_player
from trainer.players.perfect import PerfectPlayer
from trainer.players.rollouts import RolloutPlayer
from trainer.pretrained import PRETRAINED, model_path
from trainer.settings.evaluator import EvaluatorConfig

MINIMAX = "minimax"
NAMES = ("random", "search", "rollouts", "perfect", MINIMAX)
MOST_PLIES = 30
"""The most that `minimax` looks ahead; each ply takes several times as long."""
GTP, UCI = "gtp:", "uci:"
"""How the names of engines begin."""
DEFAULT_SIMULATIONS = {"search": 100, "rollouts": 1000, UCI: 10_000}
"""Default simulations of the players that search by simulations, and aren't models; for engines the nodes to search."""
FUNCTION = ".py"
"""How the name of a Python file with a function `choose` ends."""
WITHOUT_SIMULATIONS = ("random", "perfect", MINIMAX, GTP, FUNCTION)
"""Players that don't search by simulations, or not by ours."""


def kind_of(name: str) -> str:
    """The name of a player, without the command of an engine or the path of a function; empty for the path of a model."""
    engine = next((prefix for prefix in (GTP, UCI) if name.startswith(prefix)), "")
    if engine or name.startswith(f"{MINIMAX}:"):
        return engine or MINIMAX
    return name if name in NAMES else FUNCTION if name.endswith(FUNCTION) else ""


def plies_of(name: str) -> int | None:
    """How many plies `minimax:8` looks ahead; None for `minimax`, which has its game's default. Raises ConfigError."""
    _, colon, plies = name.partition(":")
    if colon and not (plies.isascii() and plies.isdigit() and 1 <= int(plies) <= MOST_PLIES):
        raise ConfigError(f"the player {name!r} should look 1 to {MOST_PLIES} plies ahead, as in {MINIMAX}:8")
    return int(plies) if colon else None


def has_simulations(name: str) -> bool:
    """Whether a number of simulations means something to a player. Raises ConfigError for a command that can't be read."""
    kind = kind_of(name)
    return kind not in WITHOUT_SIMULATIONS and not (kind == UCI and own_go(name.removeprefix(UCI)))


def simulations_of(name: str, given: int | None, of_models: int) -> int:
    """How many simulations a player makes: as many as are `given`, or else its default; `of_models` is that of models."""
    return DEFAULT_SIMULATIONS.get(kind_of(name), of_models) if given is None else given


def named_player(
    name: str,
    env_id: str,
    simulations: int,
    games: int,
    shown: str | None = None,
    engine_seconds: float = EvaluatorConfig.engine_seconds,
    prepare: Prepare | None = None,
) -> Player:
    """The player of that name, for `games` games in parallel; `simulations` are for search, rollouts, models and UCI.

    `shown` is what tables call a model, by default its file name. An answer of an engine may take `engine_seconds`.
    `prepare` makes evaluators of models; None: ONNX Runtime. Raises TrainerError if the name is neither
    known nor a file, and if the game doesn't have that player.
    """
    if name.startswith(GTP):
        return GtpPlayer(name[len(GTP) :], env_id, engine_seconds)
    if name.startswith(UCI):
        return UciPlayer(name[len(UCI) :], env_id, simulations, engine_seconds)
    if name.endswith(FUNCTION):
        return FunctionPlayer(function_in_file(Path(name)), env_id, str(Path(name)))
    if name == "random":
        return RandomPlayer()
    if name == "search":
        return model_player("Uniform guess", env_id, uniform, simulations, games)
    if name == "rollouts":
        return RolloutPlayer(env_id, simulations)
    if name == "perfect":
        return PerfectPlayer(solver_of(env_id))
    if kind_of(name) == MINIMAX:
        return MinimaxPlayer(env_id, plies_of(name))
    path = model_path(Path(name), env_id)
    if not path.is_file():
        raise ConfigError(
            f"there is no player {name!r}; give {', '.join(NAMES)}, {PRETRAINED}, gtp: or uci: with the command of an "
            f"engine, the path of an ONNX model, or that of a Python file with a function choose(position)"
        )
    model = load_prepared(path, env_id, prepare)
    return model_player(shown or shown_models([path])[0], env_id, model, simulations, games)


def shown_models(paths: Sequence[Path]) -> list[str]:
    """What tables call models: `ONNX(latest.onnx)`, with the folders that it takes to tell files of the same name apart."""
    parts = [Path(os.path.abspath(path)).parts for path in paths]
    names = []
    for own in parts:
        others = [other for other in parts if other != own]
        length = next((n for n in range(1, len(own)) if all(other[-n:] != own[-n:] for other in others)), len(own))
        names.append(f"ONNX({Path(*own[-length:])})")
    return names
