"""Kernels over many positions of one game, one in each row. R rows, S state words, A actions.

Compiled for each game by `kernels.py`, which binds `rules` and the sizes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import FIRST, FLAGS, MOVER, SECOND, Board, Mask, Moves, Rules, State

rules: Rules
NUM_CELLS: int
NUM_ACTIONS: int
FLAG_WORDS: int
RAW_WORDS: int
LEGAL_BEGIN: int
HAS_FEATURES: bool

BYTE = np.uint64(255)


def start(states: State) -> None:
    """Set every row of `states` [R, S] to the first position."""
    for row in range(len(states)):
        rules.start(states[row])


def legal(states: State, mask: Mask, found: Moves) -> None:
    """Write the legal actions of every row to `mask` [R, A]; `found` [A] is scratch memory."""
    for row in range(len(states)):
        rules.legal(states[row], mask[row], found)


def play(states: State, actions: NDArray[np.int64]) -> None:
    """Play one of `actions` [R] in each row."""
    for row in range(len(states)):
        rules.play(states[row], actions[row])


def observe(states: State, observation: NDArray[np.float32], board: Board, mask: Mask, found: Moves) -> None:
    """Write the observation of every row to `observation` [R, obs_size].

    `board` [cells or more, see `Game.scratch_cells`], `mask` [A] and `found` [A] are scratch memory.
    """
    for row in range(len(states)):
        rules.legal(states[row], mask, found)
        write_observation(states[row], board, mask, observation, row)


def write_observation(state: State, board: Board, mask: Mask, observation: NDArray[np.float32], row: int) -> None:
    """Write `observation[row]`: planes, features, legal moves, first to move, second to move.

    `mask` [A] are the legal moves; `board` is scratch memory, as for `observe`.
    """
    if HAS_FEATURES:
        rules.features(state, board)
        for i in range(LEGAL_BEGIN):
            observation[row, i] = board[i]
    else:
        rules.cells(state, board)
        for cell in range(NUM_CELLS):
            observation[row, cell] = board[cell] == FIRST
            observation[row, NUM_CELLS + cell] = board[cell] == SECOND
    for action in range(NUM_ACTIONS):
        observation[row, LEGAL_BEGIN + action] = mask[action]
    mover = int(state[MOVER])
    observation[row, LEGAL_BEGIN + NUM_ACTIONS] = mover == 1
    observation[row, LEGAL_BEGIN + NUM_ACTIONS + 1] = mover == 2


def store(states: State, stored: Board, board: Board) -> None:
    """Write the state blob of every row to `stored` [R, state_bytes]: cells, player, winner, flags, raw words.

    `board` [cells] is scratch memory.
    """
    for row in range(len(states)):
        rules.cells(states[row], board)
        for cell in range(NUM_CELLS):
            stored[row, cell] = board[cell]
        for word in range(FLAGS + FLAG_WORDS):
            stored[row, NUM_CELLS + word] = states[row, word]
        for word in range(RAW_WORDS):
            left = states[row, states.shape[1] - RAW_WORDS + word]
            for byte in range(8):
                stored[row, NUM_CELLS + FLAGS + FLAG_WORDS + 8 * word + byte] = left & BYTE
                left >>= np.uint64(8)
