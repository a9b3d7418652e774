"""Findings: what a check found, with the moves that show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

MovesOf = Callable[[int], tuple[int, ...]]
"""The moves that lead to the position of a row."""
RESULTS = ("OPEN (0)", "FIRST (1)", "SECOND (2)", "DRAW (3)")
"""What state[WINNER] may be, by its number."""


NO_MOVE = (
    "The game is open, but player {mover} has no legal move. Let play end the game, or give the turn to the other player, "
    "or make the pass an action."
)
TOO_LONG = (
    "The game isn't over after {plies} moves, although GAME promises max_plies={plies}. If games can be longer, raise "
    "max_plies. If they may never end, count the moves in the state, and let play end the game."
)


class Level(IntEnum):
    """How bad a finding is; the larger, the worse."""

    NOTE = 0
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True)
class Finding:
    """One thing that a check found."""

    level: Level
    text: str
    """Sentences that explain it well enough to fix it."""
    moves: tuple[int, ...] | None = None
    """The actions, from the start, that lead to the position it was found in. None: it is about no certain position."""
    out_of_bounds: bool = False
    """Whether the rules use an index that is out of bounds, so that they mustn't run without bounds checks."""


def failure(text: str, moves: tuple[int, ...]) -> Finding:
    """Something that must be fixed, and the moves that show it."""
    return Finding(Level.FAILURE, text, moves)


class Examples:
    """Collects what is wrong with positions: the first example of each kind, and how many there are."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, tuple[int, ...] | None]] = {}
        self._count: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._first)

    def add(
        self,
        kind: str,
        bad: NDArray[np.bool_] | np.bool_,
        describe: Callable[[int], str],
        moves_of: MovesOf,
    ) -> None:
        """Note the rows where `bad` [R] is True; `describe` and `moves_of` are called for the first of them."""
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        if kind not in self._first:
            row = int(rows[0])
            self._first[kind] = describe(row), moves_of(row)
        self._count[kind] = self._count.get(kind, 0) + len(rows)

    def findings(self, level: Level = Level.FAILURE) -> list[Finding]:
        """One for each kind."""
        found = []
        for kind, (text, moves) in self._first.items():
            more = self._count[kind] - 1
            also = f" The same is wrong in {more:,} more position{'s' if more > 1 else ''}." if more else ""
            found.append(Finding(level, text + also, moves))
        return found
