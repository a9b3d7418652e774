"""Heuristic of minichess: material, in pawns."""

from __future__ import annotations

import numpy as np

from trainer.games.base import MOVER, State
from trainer.games.minichess.rules import BOARD, CELLS, HALF, LINES, PIECES, PROMOTION, QUEEN, SIDE, SIDES, TO

DEPTH = 3
PAWN_VALUE, KNIGHT_VALUE, DIAGONAL_VALUE, STRAIGHT_VALUE = 1, 3, 3, 5
QUEEN_BONUS = 1  # a queen, which moves both ways, is worth 9
# Towards the middle first, promotions to less than a queen last.
FROM_THE_MIDDLE = (TO // SIDE - 2) ** 2 + (TO % SIDE - 2) ** 2
ORDER = np.argsort(FROM_THE_MIDDLE + CELLS * (PROMOTION != QUEEN), kind="stable")


def value(state: State) -> int:
    """The value of an unfinished position for the player to move."""
    first = material(state, np.uint64(0))
    second = material(state, np.uint64(HALF))
    return first - second if state[MOVER] == 1 else second - first


def material(state: State, half: np.uint64) -> int:
    """What the pieces of a player are worth: those in the lower or in the upper `half` of the word SIDES."""
    own = (state[SIDES] >> half) & np.uint64(BOARD)
    upper = np.uint64(HALF)
    diagonal, straight = state[LINES], state[LINES] >> upper
    return (
        PAWN_VALUE * count(own & state[PIECES])
        + KNIGHT_VALUE * count(own & (state[PIECES] >> upper))
        + DIAGONAL_VALUE * count(own & diagonal)
        + STRAIGHT_VALUE * count(own & straight)
        + QUEEN_BONUS * count(own & diagonal & straight)
    )


def count(cells: np.uint64) -> int:
    """How many cells are in a set."""
    number = 0
    while cells != 0:
        cells &= cells - np.uint64(1)
        number += 1
    return number
