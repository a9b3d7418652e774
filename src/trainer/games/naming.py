"""The game that the settings of a command name."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, TypeVar

from trainer.games.library import find_game, has_rules


class NamesGame(Protocol):
    """Settings of a command that takes a game."""

    @property
    def env_id(self) -> str:
        """The game's name."""


Config = TypeVar("Config", bound=NamesGame)


def env_id_of(name: str) -> str:
    """The env_id of the game with this name; the name itself if there are no rules for it."""
    return find_game(name).game.env_id if has_rules(name) else name


def with_env_id(config: Config) -> Config:
    """Settings with the env_id of the game that they name, in place of that name."""
    return replace(config, env_id=env_id_of(config.env_id))  # type: ignore[type-var]
