"""The games whose rules are known: the only list of them.

A new game is one file in this folder and its name here; `docs/adding-a-game.md` walks through one.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from trainer.core.errors import GameError
from trainer.games.base import Game

ENV_IDS = ("tictactoe", "connect4", "othello")


def rules_of(env_id: str) -> ModuleType:
    """The module of plain functions of a game (see `trainer.games.base.Rules`)."""
    if env_id not in ENV_IDS:
        raise GameError(f"no rules for a game named {env_id!r}; the known games are {', '.join(ENV_IDS)}")
    return import_module(f"trainer.games.{env_id}.rules")


def game_of(env_id: str) -> Game:
    """The dimensions and words of a game."""
    game = rules_of(env_id).GAME
    assert isinstance(game, Game)
    return game
