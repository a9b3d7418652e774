"""The games, each in a folder with everything that belongs to it.

    rules.py             the rules, which every game has: see `base.py`
    recipe.py            RECIPE, how the loop learns the game by default: see `recipes.py`
    heuristic.py         DEPTH and value(state), for the minimax player: see `trainer.players.minimax`
    solver.py            solver(env_id), which scores moves under best play: see `solving/solver.py`. Small games need none
    scored_positions.py  scored_positions(file), to count wrong moves: see `solving/scored_positions.py`. Small games need
                         none
    engine.py            ENGINE, what other programs call its moves: see `vocabulary.py`
    openspiel_actions.py OPENSPIEL_ACTIONS, OpenSpiel's numbers of its actions, for `check --against`

All but the rules are optional; a game has a part if its folder has the file. `library/` finds games, here and elsewhere,
and has the list of those of this package; `naming.py` finds the one that a command's settings name.
`docs/adding-a-game.md` explains how to write one.

`parameters.py` and `symmetry.py` help to write rules, `complete.py` adds the functions that a game leaves out, and
`layout.py` says what the numbers of an observation mean. A game is played by `position.py`, one position in plain Python, or
by `positions.py`, many at compiled speed with the kernels of `rows.py`, which `kernels.py` compiles. `state_blob.py` has the
parts of a position as it is stored, and `splitmix.py` has random numbers for kernels.
"""

from __future__ import annotations

from types import ModuleType

from trainer.games.base import Game
from trainer.games.library import ENV_IDS, find_game, has_rules, is_available, is_installed, is_known, known_games
from trainer.games.naming import env_id_of, with_env_id
from trainer.settings.base import DEFAULT_GAME

__all__ = [
    "DEFAULT_GAME",
    "ENV_IDS",
    "Game",
    "env_id_of",
    "find_game",
    "game_of",
    "games_with",
    "has_part",
    "has_rules",
    "is_available",
    "is_installed",
    "is_known",
    "known_games",
    "part_of",
    "rules_of",
    "with_env_id",
]


def rules_of(env_id: str) -> ModuleType:
    """The complete rules of a game, uncompiled (see `trainer.games.base.Rules`). Raises GameError for an unknown game."""
    return find_game(env_id).rules


def game_of(env_id: str) -> Game:
    """The dimensions and names of a game. Raises GameError for an unknown game."""
    return find_game(env_id).game


def part_of(env_id: str, part: str) -> ModuleType | None:
    """The module `part` of a game ("heuristic", "solver", ...), imported now; None if the game has none."""
    return find_game(env_id).part(part)


def has_part(env_id: str, part: str) -> bool:
    """Whether a game has a module of that name."""
    return part_of(env_id, part) is not None


def games_with(part: str) -> tuple[str, ...]:
    """The games of this package that have a module of that name."""
    return tuple(env_id for env_id in ENV_IDS if has_part(env_id, part))
