"""Players by name: `random`, `search`, `perfect`, `minimax`, or the path of a model."""

from __future__ import annotations

from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.evaluators.onnx_file import load_model
from trainer.evaluators.uniform import uniform
from trainer.games import game_of
from trainer.games.solver import solver_of
from trainer.players.base import Player, RandomPlayer
from trainer.players.minimax import MinimaxPlayer
from trainer.players.network import model_player
from trainer.players.perfect import PerfectPlayer

NAMES = ("random", "search", "perfect", "minimax")
SEARCH_SIMULATIONS = 100
"""Default simulations of the player `search`."""


def named_player(name: str, env_id: str, simulations: int, games: int) -> Player:
    """The player of that name, for `games` games in parallel; `simulations` are for search and models.

    Raises TrainerError if the name is neither known nor a file, and if the game doesn't have that player.
    """
    if name == "random":
        return RandomPlayer()
    if name == "search":
        return model_player("Uniform guess", env_id, uniform, simulations, games)
    if name == "perfect":
        return PerfectPlayer(solver_of(env_id))
    if name == "minimax":
        return MinimaxPlayer(env_id)
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"there is no player {name!r}; give {', '.join(NAMES)}, or the path of an ONNX model")
    game = game_of(env_id)
    model = load_model(path, env_id, game.obs_size, game.num_actions)
    return model_player(f"ONNX({path.name})", env_id, model, simulations, games)
