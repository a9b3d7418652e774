"""A player that is somebody's Python function: a position in, an action out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ConfigError, GameError
from trainer.core.python_file import PythonFile, lines_named
from trainer.games import rules_of
from trainer.games.position import Position, listed
from trainer.games.positions import Positions
from trainer.players.base import RESIGNS, Played

Choose = Callable[[Position], SupportsIndex]
"""Returns one of the position's legal actions, or RESIGNS (-1)."""


@dataclass(frozen=True)
class FunctionPlayer:
    """Plays the move that a function chooses, in one position at a time."""

    function: Choose
    env_id: str
    name: str

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """Ask the function. Raises GameError if it chooses what isn't legal; what the function raises is passed on."""
        rules = rules_of(self.env_id)
        return np.array([self._choice(Position(rules, state.copy())) for state in positions.states], np.int64)

    def _choice(self, position: Position) -> int:
        """The function's action in one position."""
        legal, chosen = position.legal, self.function(position)
        try:
            action = chosen.__index__()
        except (AttributeError, TypeError):
            raise GameError(f"{self.name} chose {chosen!r}; an action is a whole number") from None
        if action != RESIGNS and action not in legal:
            raise GameError(
                f"{self.name} chose {action} as player {position.mover}, which is not legal; legal are {listed(legal)}, "
                f"and {RESIGNS} gives the game up"
            )
        return action


def function_in_file(path: Path) -> Choose:
    """The function `choose(position)` of a Python file. Raises TrainerError if there is none, or the file fails.

    If the function fails, it raises GameError with the line.
    """
    try:
        file = PythonFile(path)
    except OSError as error:
        raise ConfigError(f"{path} can't be read as a player ({error.strerror})") from error
    with lines_named(path, GameError, passes=(GameError,)):
        module = file.run(re.sub(r"\W", "_", f"{path.stem}.player"), None)
    function = getattr(module, "choose", None)
    if not callable(function):
        raise ConfigError(f"{path} has no function choose(position), which returns one of position.legal")

    def choose(position: Position) -> SupportsIndex:
        with lines_named(path, GameError):
            action: SupportsIndex = function(position)
        return action

    return choose
