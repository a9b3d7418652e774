"""The games, each in a folder with everything that belongs to it.

    rules.py             the rules, which every game has: see `base.py`
    recipe.py            RECIPE, how the loop learns the game by default: see `recipes.py`
    heuristic.py         DEPTH, ORDER and value(state), for the minimax player: see `trainer.players.minimax`
    solver.py            solver(), which scores moves under best play: see `solver.py`
    scored_positions.py  scored_positions(file), to count wrong moves: see `scored_positions.py`

All but the rules are optional; a game has a part if its folder has the file. `ENV_IDS` is the only list of games. A new game
is a folder here and its name in that list; `docs/adding-a-game.md` explains the steps.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from trainer.core.errors import GameError
from trainer.games.base import Game

ENV_IDS = ("tictactoe", "connect4", "othello")


def rules_of(env_id: str) -> ModuleType:
    """The module of a game's rules (see `trainer.games.base.Rules`). Raises GameError for an unknown game."""
    if env_id not in ENV_IDS:
        raise GameError(f"no rules for a game named {env_id!r}; the known games are {', '.join(ENV_IDS)}")
    return import_module(f"trainer.games.{env_id}.rules")


def game_of(env_id: str) -> Game:
    """The dimensions and names of a game. Raises GameError for an unknown game."""
    game = rules_of(env_id).GAME
    assert isinstance(game, Game)
    return game


def part_of(env_id: str, part: str) -> ModuleType | None:
    """The module `part` of a game ("heuristic", "solver", ...), imported now; None if the game has none."""
    return import_module(f"trainer.games.{env_id}.{part}") if has_part(env_id, part) else None


def has_part(env_id: str, part: str) -> bool:
    """Whether a game has a module of that name, without importing it."""
    return env_id in ENV_IDS and find_spec(f"trainer.games.{env_id}.{part}") is not None


def games_with(part: str) -> tuple[str, ...]:
    """The games that have a module of that name."""
    return tuple(env_id for env_id in ENV_IDS if has_part(env_id, part))
