"""Kernels over many positions of one game, one in each row. R rows, S state words, A actions.

Compiled for each game by `kernels.py`, which binds `rules` and the sizes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import FIRST, FLAGS, MOVER, SECOND, Board, Mask, Rules, State

rules: Rules
NUM_CELLS: int
NUM_ACTIONS: int
FLAG_WORDS: int


def start(states: State) -> None:
    """Set every row of `states` [R, S] to the first position."""
    for row in range(len(states)):
        rules.start(states[row])


def legal(states: State, mask: Mask) -> None:
    """Write the legal actions of every row to `mask` [R, A]."""
    for row in range(len(states)):
        rules.legal(states[row], mask[row])


def play(states: State, actions: NDArray[np.int64]) -> None:
    """Play one of `actions` [R] in each row."""
    for row in range(len(states)):
        rules.play(states[row], actions[row])


def observe(states: State, observation: NDArray[np.float32], board: Board, mask: Mask) -> None:
    """Write the observation of every row to `observation` [R, obs_size]; `board` [cells], `mask` [A] are scratch memory."""
    for row in range(len(states)):
        rules.legal(states[row], mask)
        rules.cells(states[row], board)
        write_observation(board, mask, int(states[row, MOVER]), observation, row)


def write_observation(board: Board, mask: Mask, mover: int, observation: NDArray[np.float32], row: int) -> None:
    """Write `observation[row]`: first player's pieces, second player's, legal moves, first to move, second to move."""
    for cell in range(NUM_CELLS):
        observation[row, cell] = board[cell] == FIRST
        observation[row, NUM_CELLS + cell] = board[cell] == SECOND
    for action in range(NUM_ACTIONS):
        observation[row, 2 * NUM_CELLS + action] = mask[action]
    observation[row, 2 * NUM_CELLS + NUM_ACTIONS] = mover == 1
    observation[row, 2 * NUM_CELLS + NUM_ACTIONS + 1] = mover == 2


def store(states: State, stored: Board, board: Board) -> None:
    """Write the state blob of every row to `stored` [R, state_bytes]: cells, player, winner, flags.

    `board` [cells] is scratch memory.
    """
    for row in range(len(states)):
        rules.cells(states[row], board)
        for cell in range(NUM_CELLS):
            stored[row, cell] = board[cell]
        for word in range(FLAGS + FLAG_WORDS):
            stored[row, NUM_CELLS + word] = states[row, word]
