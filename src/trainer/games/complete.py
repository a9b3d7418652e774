"""The complete rules of a game: its own functions, and the defaults of those that it leaves out.

Kernels call these functions. Only rollouts (`players/uct.py`), `check`, a game's heuristic and its solver also see the
game's own. Compiled for each game by `kernels.py`, which binds the game's module as `own`; `library/` makes the uncompiled
version. `base.py` says what the functions do.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from trainer.games.base import FLAGS, MOVER, Board, Mask, Moves, State

own: ModuleType
NUM_CELLS: int
NUM_ACTIONS: int
MOST_MOVES: int
FLAG_WORDS: int
HAS_START: bool
HAS_MOVES: bool
HAS_CELLS: bool

INLINED = True


def start(state: State) -> None:
    """Write the first position."""
    if HAS_START:
        own.start(state)
    else:
        for word in range(len(state)):
            state[word] = 0
        state[MOVER] = 1


def legal(state: State, mask: Mask, found: Moves) -> None:
    """Write the legal actions to `mask` [A], at most MOST_MOVES of them; `found` [A] is scratch memory.

    Further ones, in a game that has more than its max_moves, are left out: other memory has no room for them.
    """
    if HAS_MOVES:
        for action in range(len(mask)):
            mask[action] = False
        for i in range(min(int(np.int64(own.moves(state, found))), MOST_MOVES)):
            mask[found[i]] = True
    else:
        own.legal(state, mask)
        if MOST_MOVES < NUM_ACTIONS:
            limit(mask)


def limit(mask: Mask) -> None:
    """Clear what is True in `mask` [A] beyond the first MOST_MOVES."""
    count = 0
    for action in range(NUM_ACTIONS):
        count += mask[action]
    action = NUM_ACTIONS
    while count > MOST_MOVES:
        action -= 1
        count -= mask[action]
        mask[action] = False


def play(state: State, action: int) -> None:
    """Change the position by a legal action."""
    own.play(state, action)


def cells(state: State, board: Board) -> None:
    """Write the code of each cell to `board` [cells]."""
    if HAS_CELLS:
        own.cells(state, board)
    else:
        for cell in range(NUM_CELLS):
            board[cell] = state[FLAGS + FLAG_WORDS + cell]


def from_cells(board: Board, state: State) -> None:
    """Write the words of the board."""
    if HAS_CELLS:
        own.from_cells(board, state)
    else:
        for cell in range(NUM_CELLS):
            state[FLAGS + FLAG_WORDS + cell] = board[cell]


def features(state: State, out: Board) -> None:
    """Write what the network sees, if the game has a function for it, to `out` [planes * cells + features]."""
    own.features(state, out)


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a move of `mask` [A] wins at once, if the game has a function for it."""
    return own.wins_next(state, mask)  # type: ignore[no-any-return]
