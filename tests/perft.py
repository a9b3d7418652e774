"""Count the leaves of a game tree: a kernel that tests compile like the search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import OPEN, WINNER, Rules, State

ALLOCATES = True
rules: Rules
NUM_ACTIONS: int


def perft(state: State, depth: int, winners: NDArray[np.int64]) -> int:
    """Lines of exactly `depth` plies, or fewer where the game ends; `winners[w]` counts ends with winner w."""
    if state[WINNER] != OPEN:
        winners[int(state[WINNER])] += 1
        return 1 if depth == 0 else 0
    if depth == 0:
        return 1
    mask = np.zeros(NUM_ACTIONS, np.bool_)
    rules.legal(state, mask)
    leaves = 0
    for action in range(NUM_ACTIONS):
        if mask[action]:
            after = state.copy()
            rules.play(after, action)
            leaves += perft(after, depth - 1, winners)
    return leaves
