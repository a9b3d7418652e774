"""Kernels that solve dots and boxes exactly: what every set of drawn edges is worth. E edges, R rows, S state words.

Who owns which boxes doesn't matter for the rest of a game. So a set of drawn edges is worth the same in all positions
that have it: the boxes that the player to move will still close with best play, minus those of the other. Sets are solved
from the last, in which all edges are drawn, to the first. Wilson solved boards of up to 4 x 4 boxes in this way; Barker
and Korf 2012, "Solving Dots-And-Boxes", tell of it and go further. A set is a number: bit i is edge i.

Compiled by `trainer.games.kernels`, which binds the module of the rules as `own`.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import FIRST, MOVER, State

own: ModuleType


class EdgeSets(NamedTuple):
    """What each set of drawn edges is worth."""

    worth: NDArray[np.int8]
    """[2 ** E]"""
    boxes: NDArray[np.int64]
    """[E, 2] the edges of the boxes that an edge has beside it, as sets; for no second box -1, which is never drawn."""


def solve(sets: EdgeSets) -> None:
    """Fill in what the sets are worth."""
    worth, edges = sets.worth, len(sets.boxes)
    everything = len(worth) - 1
    worth[everything] = 0
    for drawn in range(everything - 1, -1, -1):
        best = -edges
        for edge in range(edges):
            if (drawn >> edge) & 1 == 0:
                best = max(best, worth_of_move(sets, drawn, edge))
        worth[drawn] = best


def worth_of_move(sets: EdgeSets, drawn: int, edge: int) -> int:
    """What drawing one more edge is worth for the player who does it."""
    after = drawn | (1 << edge)
    closed = 0
    for box in sets.boxes[edge]:
        if box & after == box:
            closed += 1
    if closed > 0:  # the same player moves again
        return closed + int(sets.worth[after])
    return -int(sets.worth[after])


def score_all(sets: EdgeSets, states: State, scores: NDArray[np.int8]) -> None:
    """Write the final lead after each legal move, for the player who makes it, to `scores` [R, E]; `states` [R, S]."""
    for row in range(len(states)):
        drawn = int(states[row, own.LINES])
        lead = np.int64(states[row, own.LEAD]) - own.BOXES
        if states[row, MOVER] != FIRST:
            lead = -lead
        for edge in range(len(sets.boxes)):
            if (drawn >> edge) & 1 == 0:
                scores[row, edge] = lead + worth_of_move(sets, drawn, edge)
