"""Tic-tac-toe: three in a row on a 3x3 board. Cell and action index: row * 3 + column, row 0 at the top."""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, State
from trainer.games.symmetry import square_symmetries

GAME = Game(
    env_id="tictactoe",
    display_name="Tic-Tac-Toe",
    description="Get three in a row on a 3x3 board.",
    width=3,
    height=3,
    num_actions=9,
    state_words=4,
    max_plies=9,
    symmetries=square_symmetries(3),
    line=3,
)

STONES = FLAGS  # two words, the first player's and the second player's: bit i is cell i
ONE = np.uint64(1)
FULL = np.uint64(0b111_111_111)
ROWS = [0b000_000_111, 0b000_111_000, 0b111_000_000]
COLUMNS = [0b001_001_001, 0b010_010_010, 0b100_100_100]
DIAGONALS = [0b100_010_001, 0b001_010_100]
LINES = np.array(ROWS + COLUMNS + DIAGONALS, dtype=np.uint64)


def start(state: State) -> None:
    """An empty board, the first player to move."""
    state[:] = 0
    state[MOVER] = 1


def legal(state: State, mask: Mask) -> None:
    """Every empty cell, until the game is over."""
    occupied = state[STONES] | state[STONES + 1]
    for action in range(9):
        empty = (occupied >> np.uint64(action)) & ONE == 0
        mask[action] = state[WINNER] == OPEN and empty


def play(state: State, action: int) -> None:
    """Put the mover's stone on a cell."""
    mover = int(state[MOVER])
    state[STONES + mover - 1] |= ONE << np.uint64(action)
    if has_line(state[STONES + mover - 1]):
        state[WINNER] = mover
        return
    if state[STONES] | state[STONES + 1] == FULL:
        state[WINNER] = DRAW
        return
    state[MOVER] = 3 - mover


def has_line(stones: np.uint64) -> bool:
    """Whether there are three in a row."""
    for line in LINES:
        if stones & line == line:
            return True
    return False


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a stone on one of the cells of `mask` completes a line."""
    own = state[STONES + int(state[MOVER]) - 1]
    for action in range(9):
        if mask[action] and has_line(own | (ONE << np.uint64(action))):
            return True
    return False


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    for cell in range(9):
        at = np.uint64(cell)
        board[cell] = ((state[STONES] >> at) & ONE) + np.uint64(2) * ((state[STONES + 1] >> at) & ONE)


def from_cells(board: Board, state: State) -> None:
    """Set the stones cell by cell."""
    state[STONES:] = 0
    for cell in range(9):
        if board[cell] > 0:
            state[STONES + int(board[cell]) - 1] |= ONE << np.uint64(cell)
