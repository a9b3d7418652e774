"""Kernels of minimax search with alpha-beta pruning to a fixed depth. R rows, S state words, A actions, D depth.

Values are for the player to move, in the units of the game's heuristic (see `minimax.py`). A win counts WIN plus the plies
that are left to the horizon, so that a faster win is better, and a slower loss.

Compiled for each game by `trainer.games.kernels`, which binds `rules`, `heuristic` and the sizes.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Mask, Moves, Rules, State

ALLOCATES = True
rules: Rules
heuristic: ModuleType
NUM_ACTIONS: int

WIN = 1_000_000
INFINITY = 2_000_000


def choose_all(states: State, depth: int, order: NDArray[np.int64], actions: NDArray[np.int64]) -> None:
    """Write the best move in each of the unfinished positions `states` [R, S] to `actions` [R].

    `order` [A] has all actions, those first that are tried first.
    """
    line = np.zeros((depth + 1, states.shape[1]), np.uint64)
    legal = np.zeros((depth + 1, NUM_ACTIONS), np.bool_)
    found = np.zeros(NUM_ACTIONS, np.int32)
    tried = np.zeros(depth + 1, np.int64)
    window = np.zeros((depth + 1, 2), np.int64)
    for row in range(len(states)):
        for word in range(states.shape[1]):
            line[0, word] = states[row, word]
        actions[row] = choose(line, legal, found, tried, window, order, depth)


def choose(
    line: State,
    legal: Mask,
    found: Moves,
    tried: NDArray[np.int64],
    window: NDArray[np.int64],
    order: NDArray[np.int64],
    depth: int,
) -> int:
    """The best move in `line[0]`; among equally good ones the first in the order.

    The arguments have a row for each ply of the current line: its positions `line` [D+1, S], their legal moves [D+1, A],
    how many moves of the order were `tried` [D+1], and alpha and beta for the player to move, `window` [D+1, 2]; `found` is
    scratch memory for the rules. It is not recursive, because Numba's cache can't store recursive functions safely (numba
    issue 6061).
    """
    best, ply = -1, 0
    enter(line, legal, found, tried, window, 0, -INFINITY, INFINITY)
    while True:
        alpha, beta = window[ply]
        if tried[ply] < NUM_ACTIONS and alpha < beta:
            action = order[tried[ply]]
            tried[ply] += 1
            if not legal[ply, action]:
                continue
            for word in range(line.shape[1]):
                line[ply + 1, word] = line[ply, word]
            rules.play(line[ply + 1], action)
            if line[ply + 1, WINNER] == OPEN and ply + 1 < depth:
                same = line[ply + 1, MOVER] == line[ply, MOVER]
                ply += 1
                enter(line, legal, found, tried, window, ply, alpha if same else -beta, beta if same else -alpha)
                continue
            value = value_at_horizon(line[ply + 1], depth - ply - 1)
        else:
            if ply == 0:
                return best
            value = alpha
            ply -= 1
        if line[ply + 1, MOVER] != line[ply, MOVER]:
            value = -value
        if value > window[ply, 0]:
            window[ply, 0] = value
            if ply == 0:
                best = int(order[tried[0] - 1])


def enter(
    line: State,
    legal: Mask,
    found: Moves,
    tried: NDArray[np.int64],
    window: NDArray[np.int64],
    ply: int,
    alpha: int,
    beta: int,
) -> None:
    """Begin to try the moves in `line[ply]`."""
    rules.legal(line[ply], legal[ply], found)
    tried[ply] = 0
    window[ply, 0], window[ply, 1] = alpha, beta


def value_at_horizon(state: State, left: int) -> int:
    """The value for its mover of a position that is finished, or on the horizon; `left`: plies from there to the horizon."""
    winner = state[WINNER]
    if winner == OPEN:
        return int(heuristic.value(state))
    if winner == DRAW:
        return 0
    return WIN + left if winner == state[MOVER] else -WIN - left
