"""The complete rules of a game: its own functions, and the defaults of those that it leaves out.

Kernels call these functions and never the game's own. Compiled for each game by `kernels.py`, which binds the game's module
as `own`; `library/` makes the uncompiled version. `base.py` says what the functions do.
"""

from __future__ import annotations

from types import ModuleType

from trainer.games.base import FLAGS, MOVER, Board, Mask, Moves, State

own: ModuleType
NUM_CELLS: int
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
    """Write the legal actions to `mask` [A]; `found` [most moves] is scratch memory."""
    if HAS_MOVES:
        for action in range(len(mask)):
            mask[action] = False
        for i in range(own.moves(state, found)):
            mask[found[i]] = True
    else:
        own.legal(state, mask)


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
