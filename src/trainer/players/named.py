"""Makes players from their names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.uniform import uniform
from trainer.games.solving.solvers import solver_of
from trainer.players import player_name
from trainer.players.base import Player, RandomPlayer
from trainer.players.engines import GtpPlayer, UciPlayer
from trainer.players.function import FunctionPlayer, function_in_file
from trainer.players.minimax import MinimaxPlayer
from trainer.players.network import model_player
from trainer.players.perfect import PerfectPlayer
from trainer.players.player_name import KNOWN, PlayerName
from trainer.players.rollouts import RolloutPlayer
from trainer.pretrained import PRETRAINED, model_path
from trainer.settings.evaluator import EvaluatorConfig


def named_player(
    name: PlayerName,
    loader: ModelLoader,
    simulations: int,
    games: int,
    shown: str | None = None,
    engine_seconds: float = EvaluatorConfig.engine_seconds,
) -> Player:
    """The player of that name in the game of `loader`, for `games` games in parallel.

    `simulations` are for search, rollouts, models and UCI. `loader` makes the evaluator of a model; `shown` is what tables
    call it, by default its file name. An answer of an engine may take `engine_seconds`. Raises TrainerError if the name is
    neither known nor a file, and if the game doesn't have that player.
    """
    env_id = loader.env_id
    match name.kind:
        case player_name.GTP:
            return GtpPlayer(name.rest, env_id, engine_seconds)
        case player_name.UCI:
            return UciPlayer(name.rest, env_id, simulations, engine_seconds)
        case player_name.FUNCTION:
            return FunctionPlayer(function_in_file(Path(name.rest)), env_id, str(Path(name.rest)))
        case player_name.RANDOM:
            return RandomPlayer()
        case player_name.SEARCH:
            return model_player("Uniform guess", env_id, uniform, simulations, games)
        case player_name.ROLLOUTS:
            return RolloutPlayer(env_id, simulations)
        case player_name.PERFECT:
            return PerfectPlayer(solver_of(env_id))
        case player_name.MINIMAX:
            return MinimaxPlayer(env_id, name.plies)
    path = model_path(Path(name.rest), env_id)
    if not path.is_file():
        raise ConfigError(
            f"there is no player {name.rest!r}; give {', '.join(KNOWN)}, {PRETRAINED}, gtp: or uci: with the command of an "
            f"engine, the path of an ONNX model, or that of a Python file with a function choose(position)"
        )
    model = loader.load(path)
    return model_player(shown or shown_models([path])[0], env_id, model, simulations, games)


def shown_models(paths: Sequence[Path]) -> list[str]:
    """What tables call models: `ONNX(latest.onnx)`, with the folders that it takes to tell files of the same name apart."""
    return [f"ONNX({path})" for path in told_apart(paths)]


def told_apart(paths: Sequence[Path]) -> list[Path]:
    """The ends of some paths, each as long as it takes to tell it from the others."""
    parts = [Path(os.path.abspath(path)).parts for path in paths]
    names = []
    for own in parts:
        others = [other for other in parts if other != own]
        length = next((n for n in range(1, len(own)) if all(other[-n:] != own[-n:] for other in others)), len(own))
        names.append(Path(*own[-length:]))
    return names
