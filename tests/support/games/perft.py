"""A kernel that counts the leaves of a game tree, for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import OPEN, WINNER, Rules, State

ALLOCATES = True
rules: Rules
NUM_ACTIONS: int


def perft(state: State, depth: int, winners: NDArray[np.int64]) -> int:
    """The number of lines of exactly `depth` plies; `winners[w]` counts the lines that winner w has won by then.

    Depth-first over a stack of positions, with the next action to try in each (a recursive kernel can't be cached).
    """
    line = np.zeros((depth + 1, len(state)), np.uint64)
    legal = np.zeros((depth + 1, NUM_ACTIONS), np.bool_)
    found = np.zeros(NUM_ACTIONS, np.int32)
    tried = np.zeros(depth + 1, np.int64)
    line[0] = state
    rules.legal(line[0], legal[0], found)
    leaves, ply = 0, 0
    while ply >= 0:
        over = line[ply, WINNER] != OPEN
        if over and tried[ply] == 0:
            winners[int(line[ply, WINNER])] += 1
        if over or ply == depth:
            leaves += ply == depth
            ply -= 1
            continue
        action = tried[ply]
        while action < NUM_ACTIONS and not legal[ply, action]:
            action += 1
        tried[ply] = action + 1
        if action == NUM_ACTIONS:
            ply -= 1
            continue
        line[ply + 1] = line[ply]
        ply += 1
        rules.play(line[ply], action)
        rules.legal(line[ply], legal[ply], found)
        tried[ply] = 0
    return leaves
