"""Heuristic of m,n,k-games: each side's lines that are still open, weighted by how many stones they lack.

As in Connect 4's heuristic, a line without a stone of the opponent counts ten times as much with each stone more: 1000 if it
lacks one stone, 100 if it lacks two, 10 if it lacks three, and 1 if it lacks more and holds at least one.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from trainer.games.base import MOVER, State

own: ModuleType

DEPTH = 3
WEIGHTS = np.array([0, 1000, 100, 10])  # by the number of stones that a line lacks


def value(state: State) -> int:
    """The value of an unfinished position for the player to move."""
    mover = int(state[MOVER])
    total = 0
    for direction in range(4):
        for cell in range(own.CELLS):
            if own.ROOM[cell, direction + 4] == 0:
                total += value_along(state, mover, cell, direction)
    return total


def value_along(state: State, mover: int, first: int, direction: int) -> int:
    """What the lines from one edge of the board to the other are worth, along a row, a column or a diagonal from `first`."""
    total, mine, theirs = 0, 0, 0
    for number in range(own.ROOM[first, direction] + 1):
        mine += stones(state, mover, first + number * own.STEPS[direction])
        theirs += stones(state, 3 - mover, first + number * own.STEPS[direction])
        if number >= own.LINE:
            left = first + (number - own.LINE) * own.STEPS[direction]
            mine -= stones(state, mover, left)
            theirs -= stones(state, 3 - mover, left)
        if number >= own.LINE - 1:
            if theirs == 0:
                total += worth(mine)
            elif mine == 0:
                total -= worth(theirs)
    return total


def stones(state: State, player: int, cell: int) -> int:
    """1 if the player has a stone on the cell, else 0."""
    word = state[own.STONES + own.WORDS * (player - 1) + (cell >> 6)]
    return int((word >> np.uint64(cell & 63)) & np.uint64(1))


def worth(count: int) -> int:
    """What a line of `count` stones of one player counts."""
    if count == 0:
        return 0
    return int(WEIGHTS[own.LINE - count]) if own.LINE - count < len(WEIGHTS) else 1
