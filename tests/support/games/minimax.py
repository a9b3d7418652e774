"""A kernel that finds the value of a small game by trying every line, for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Rules, State

ALLOCATES = True
rules: Rules
NUM_ACTIONS: int
SUDDEN_WINS: bool

LOST, WON = -1, 1


def minimax(state: State, longest: int, order: NDArray[np.int64]) -> int:
    """1, 0 or -1: the mover of an unfinished position wins, draws or loses. Actions are tried in the given order.

    That player counts as the loser of a line that isn't over after `longest` plies, so a win is always proven.

    Depth-first over a stack of positions, as in `perft.py`, with the next action to try in each. Players must take turns.
    """
    line = np.zeros((longest + 1, len(state)), np.uint64)
    legal = np.zeros((longest + 1, NUM_ACTIONS), np.bool_)
    found = np.zeros(NUM_ACTIONS, np.int32)
    tried = np.zeros(longest + 1, np.int64)
    best = np.full(longest + 1, LOST)
    line[0] = state
    rules.legal(line[0], legal[0], found)
    ply = 0
    while True:
        at = tried[ply]
        while at < NUM_ACTIONS and not legal[ply, order[at]]:
            at += 1
        if at == NUM_ACTIONS or best[ply] == WON:
            if ply == 0:
                return int(best[0])
            ply -= 1
            best[ply] = max(best[ply], -best[ply + 1])
            continue
        tried[ply] = at + 1
        line[ply + 1] = line[ply]
        rules.play(line[ply + 1], order[at])
        winner = line[ply + 1, WINNER]
        if winner == OPEN:
            rules.legal(line[ply + 1], legal[ply + 1], found)
            if SUDDEN_WINS and rules.wins_next(line[ply + 1], legal[ply + 1]):
                continue
            if ply + 1 == longest:
                if line[ply, MOVER] != line[0, MOVER]:
                    best[ply] = WON
                continue
            ply += 1
            tried[ply], best[ply] = 0, LOST
        elif winner == DRAW:
            best[ply] = max(best[ply], 0)
        elif winner == line[ply, MOVER]:
            best[ply] = WON
