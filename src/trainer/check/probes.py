"""Kernels that call one function of a game for many positions, with memory that the caller has filled. R rows.

Compiled for each game by `trainer.games.kernels`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import FLAGS, Board, Mask, Moves, Rules, State

rules: Rules
own: ModuleType
NUM_CELLS: int
FLAG_WORDS: int
RAW_WORDS: int
HAS_MOVES: bool


def begin(states: State) -> None:
    """Make each of `states` [R, S] the first position, whatever it is."""
    for row in range(len(states)):
        rules.start(states[row])


def listed(states: State, found: Moves, counts: NDArray[np.int64]) -> None:
    """Write the moves that the game's own `moves` lists to `found` [R, A], and how many to `counts` [R]."""
    for row in range(len(states)):
        counts[row] = own.moves(states[row], found[row])


def count_moves(states: State, mask: Mask, found: Moves, counts: NDArray[np.int64]) -> None:
    """Write how many moves the game's own `legal` or `moves` allows to `counts` [R]; `mask`, `found` [A]: scratch memory."""
    for row in range(len(states)):
        if HAS_MOVES:
            counts[row] = own.moves(states[row], found)
        else:
            own.legal(states[row], mask)
            counts[row] = mask.sum()


def cells(states: State, boards: Board) -> None:
    """Write the codes of all cells to `boards` [R, cells]."""
    for row in range(len(states)):
        rules.cells(states[row], boards[row])


def features(states: State, views: Board) -> None:
    """Write what the game's own `features` writes to `views` [R, planes * cells + features]."""
    for row in range(len(states)):
        rules.features(states[row], views[row])


def wins_next(states: State, mask: Mask, wins: Mask) -> None:
    """Write what the game's own `wins_next` says of the legal moves `mask` [R, A] to `wins` [R]."""
    for row in range(len(states)):
        wins[row] = rules.wins_next(states[row], mask[row])


def restore(stored: Board, states: State) -> None:
    """Write the positions of state blobs [R, state_bytes] to `states` [R, S], as `Position.from_bytes` does."""
    for row in range(len(states)):
        state, blob = states[row], stored[row]
        words = len(state)
        for word in range(words):
            state[word] = 0
        for word in range(FLAGS + FLAG_WORDS):
            state[word] = blob[NUM_CELLS + word]
        for word in range(RAW_WORDS):
            value = np.uint64(0)
            for byte in range(8):
                at = NUM_CELLS + FLAGS + FLAG_WORDS + 8 * word + byte
                value |= np.uint64(blob[at]) << np.uint64(8 * byte)
            state[words - RAW_WORDS + word] = value
        rules.from_cells(blob[:NUM_CELLS], state)
