"""Heuristic of Othello: the number of possible moves, the corners, and discs diagonally beside empty corners."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from trainer.games.base import MOVER, State
from trainer.games.othello.rules import STONES

own: ModuleType

DEPTH = 6
# How good a cell usually is, for one quarter of the board. Only the order in which moves are tried follows from it.
QUARTER = np.array([[9, 2, 7, 6], [2, 1, 3, 3], [7, 3, 5, 4], [6, 3, 4, 4]])
HALF = np.concatenate([QUARTER, QUARTER[:, ::-1]], axis=1)
ORDER = np.append(np.argsort(-np.concatenate([HALF, HALF[::-1]]).ravel(), kind="stable"), 64)

ONE = np.uint64(1)
CORNERS = np.array([0, 7, 56, 63], dtype=np.uint64)
DIAGONAL_NEIGHBOURS = np.array([9, 14, 49, 54], dtype=np.uint64)
MOVE, CORNER, BESIDE_CORNER = 10, 200, 60


def value(state: State) -> int:
    """The value of an unfinished position for the player to move."""
    mover = int(state[MOVER])
    discs, theirs = state[STONES + mover - 1], state[STONES + 2 - mover]
    return one_side(discs, theirs) - one_side(theirs, discs)


def one_side(discs: np.uint64, theirs: np.uint64) -> int:
    """One side's mobility and corner terms."""
    total = MOVE * int(own.count(own.placements(discs, theirs)))
    for number in range(4):
        corner = ONE << CORNERS[number]
        if discs & corner != 0:
            total += CORNER
        elif theirs & corner == 0 and discs & (ONE << DIAGONAL_NEIGHBOURS[number]) != 0:
            total -= BESIDE_CORNER
    return total
