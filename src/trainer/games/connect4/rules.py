"""Connect 4: four in a row on a board 7 wide and 6 high. Discs fall to the lowest empty cell of their column.

Cell index: row * 7 + column, row 0 at the BOTTOM. An action is a column.
"""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, State
from trainer.games.symmetry import column_symmetries

GAME = Game(
    env_id="connect4",
    display_name="Connect 4",
    description="Drop discs into columns; four in a row wins.",
    width=7,
    height=6,
    num_actions=7,
    state_words=4,
    max_plies=42,
    symmetries=column_symmetries(7, 6),
    player_names=("Red", "Yellow"),
    player_symbols=("R", "Y"),
    board_type="drop_column",
    bottom_row_first=True,
    line=4,
    kernel_side=4,
)

# Two words of discs, the first player's and the second player's: bit column * 9 + row, as in the solver bitbully. The three
# bits above each column stay empty, so that no line runs over the edge of the board.
STONES = FLAGS
ONE = np.uint64(1)
COLUMN = np.uint64(0b111111)
TOPS = np.uint64(sum(1 << (9 * column + 5) for column in range(7)))
DIRECTIONS = np.array([1, 8, 9, 10], dtype=np.uint64)  # up a column, along the diagonals, along a row


def start(state: State) -> None:
    """An empty board, the first player to move."""
    state[:] = 0
    state[MOVER] = 1


def legal(state: State, mask: Mask) -> None:
    """Every column whose top cell is empty, until the game is over."""
    occupied = state[STONES] | state[STONES + 1]
    for column in range(7):
        empty = (occupied >> np.uint64(9 * column + 5)) & ONE == 0
        mask[column] = state[WINNER] == OPEN and empty


def play(state: State, action: int) -> None:
    """Drop the mover's disc into a column."""
    mover = int(state[MOVER])
    occupied = state[STONES] | state[STONES + 1]
    disc = dropped(occupied, action)
    state[STONES + mover - 1] |= disc
    if has_four(state[STONES + mover - 1]):
        state[WINNER] = mover
    elif (occupied | disc) & TOPS == TOPS:
        state[WINNER] = DRAW
    else:
        state[MOVER] = 3 - mover


def dropped(occupied: np.uint64, column: int) -> np.uint64:
    """The lowest empty cell of a column that is not full: 1 added at its bottom carries through the discs to that cell."""
    bottom = np.uint64(9 * column)
    return (occupied + (ONE << bottom)) & (COLUMN << bottom)


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a disc in one of the columns of `mask` makes four in a row."""
    own, occupied = state[STONES + int(state[MOVER]) - 1], state[STONES] | state[STONES + 1]
    for column in range(7):
        if mask[column] and has_four(own | dropped(occupied, column)):
            return True
    return False


def has_four(stones: np.uint64) -> bool:
    """Whether there are four in a row: pairs of pairs, in each direction."""
    for direction in DIRECTIONS:
        pairs = stones & (stones >> direction)
        if pairs & (pairs >> (direction + direction)) != 0:
            return True
    return False


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    for column in range(7):
        first = state[STONES] >> np.uint64(9 * column)
        second = state[STONES + 1] >> np.uint64(9 * column)
        for row in range(6):
            at = np.uint64(row)
            board[row * 7 + column] = ((first >> at) & ONE) + np.uint64(2) * ((second >> at) & ONE)


def from_cells(board: Board, state: State) -> None:
    """Set the discs cell by cell."""
    state[STONES:] = 0
    for row in range(6):
        for column in range(7):
            owner = int(board[row * 7 + column])
            if owner > 0:
                state[STONES + owner - 1] |= ONE << np.uint64(column * 9 + row)


def name(state: State, action: int) -> str:
    """The column's number, counted from 1."""
    return str(action + 1)
