"""Players by name: `random`, `search`, `rollouts`, `perfect`, `minimax`, or the path of a model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.evaluators.onnx_file import load_model
from trainer.evaluators.uniform import uniform
from trainer.games import game_of
from trainer.games.solvers import solver_of
from trainer.players.base import Player, RandomPlayer
from trainer.players.minimax import MinimaxPlayer
from trainer.players.network import model_player
from trainer.players.perfect import PerfectPlayer
from trainer.players.rollouts import RolloutPlayer

NAMES = ("random", "search", "rollouts", "perfect", "minimax")
DEFAULT_SIMULATIONS = {"search": 100, "rollouts": 1000}
"""Default simulations of the players that search by simulations, and aren't models."""
WITHOUT_SIMULATIONS = ("random", "perfect", "minimax")
"""Players that don't search by simulations."""


def named_player(name: str, env_id: str, simulations: int, games: int, shown: str | None = None) -> Player:
    """The player of that name, for `games` games in parallel; `simulations` are for search, rollouts and models.

    `shown` is what tables call a model, by default its file name. Raises TrainerError if the name is neither known nor a
    file, and if the game doesn't have that player.
    """
    if name == "random":
        return RandomPlayer()
    if name == "search":
        return model_player("Uniform guess", env_id, uniform, simulations, games)
    if name == "rollouts":
        return RolloutPlayer(env_id, simulations)
    if name == "perfect":
        return PerfectPlayer(solver_of(env_id))
    if name == "minimax":
        return MinimaxPlayer(env_id)
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"there is no player {name!r}; give {', '.join(NAMES)}, or the path of an ONNX model")
    game = game_of(env_id)
    model = load_model(path, env_id, game.obs_size, game.num_actions)
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
