"""Breakthrough: a piece goes one cell forwards, straight or diagonally; the first to reach the last row wins.

A piece captures only diagonally, and it goes straight only to an empty cell. Taking all of the opponent's pieces wins, too.
There are no draws: every move is a step forwards, and a player's foremost piece can always go diagonally.

Cell index: row * columns + column, row 0 at the BOTTOM. The first player's pieces begin there and go up. An action is a pair
of cells, from and to. The first half of the actions are steps up, the second half are steps down, each half in the order of
the cells.
"""

import numpy as np

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, Seats, State
from trainer.games.parameters import parameter
from trainer.games.symmetry import Symmetry

ROWS = parameter("rows", 8, least=4, most=8)
COLUMNS = parameter("columns", 8, least=2, most=8)
CELLS = ROWS * COLUMNS

# The pairs of cells of all actions: the steps up, then the steps down.
PAIRS = tuple(
    (row * COLUMNS + column, (row + forwards) * COLUMNS + column + right)
    for forwards in (1, -1)
    for row in range(ROWS)
    for column in range(COLUMNS)
    for right in (-1, 0, 1)
    if 0 <= row + forwards < ROWS and 0 <= column + right < COLUMNS
)
NUMBER = {pair: action for action, pair in enumerate(PAIRS)}
# The board upside down, and with left and right exchanged: the cells in their new order, and the actions.
FLIPPED = tuple(np.arange(CELLS).reshape(ROWS, COLUMNS)[::-1].ravel().tolist())
MIRRORED = tuple(np.arange(CELLS).reshape(ROWS, COLUMNS)[:, ::-1].ravel().tolist())
FLIPPED_ACTIONS = tuple(NUMBER[FLIPPED[start], FLIPPED[end]] for start, end in PAIRS)
MIRRORED_ACTIONS = tuple(NUMBER[MIRRORED[start], MIRRORED[end]] for start, end in PAIRS)

GAME = Game(
    env_id="breakthrough",
    display_name="Breakthrough",
    description="Step forwards, capture diagonally, reach the other end first.",
    width=COLUMNS,
    height=ROWS,
    num_actions=len(PAIRS),
    state_words=FLAGS + 2,
    # Every move is a step. Before the last one no piece is in its last row, so each has gone at most that far.
    max_plies=2 * COLUMNS * (2 * ROWS - 5) + 1,
    symmetries=(
        Symmetry(tuple(range(CELLS)), tuple(range(len(PAIRS)))),
        Symmetry(MIRRORED, MIRRORED_ACTIONS),
    ),
    seats=Seats(cells=FLIPPED, actions=FLIPPED_ACTIONS),
    max_moves=6 * COLUMNS,  # three for each piece
    player_names=("White", "Black"),
    player_symbols=("W", "B"),
    board_type="pieces",
    bottom_row_first=True,
    action_cells=PAIRS,
)

PIECES = FLAGS  # two words, the first player's and the second player's: bit i is cell i
ONE = np.uint64(1)
NONE = np.uint64(0)
HOME = np.uint64((1 << (2 * COLUMNS)) - 1)
START = np.array([HOME, HOME << np.uint64(CELLS - 2 * COLUMNS)], dtype=np.uint64)
ROW = np.uint64((1 << COLUMNS) - 1)
# The row that a player wants to reach, and the one before.
GOAL = np.array([ROW << np.uint64(CELLS - COLUMNS), ROW], dtype=np.uint64)
BEFORE_GOAL = np.array([ROW << np.uint64(CELLS - 2 * COLUMNS), ROW << np.uint64(COLUMNS)], dtype=np.uint64)
# By action: the cell that it leaves, the cell that it reaches, and the same if it can capture there.
FROM = np.array([1 << start for start, _ in PAIRS], dtype=np.uint64)
TO = np.array([1 << end for _, end in PAIRS], dtype=np.uint64)
CAPTURED = np.array([1 << end if (end - start) % COLUMNS != 0 else 0 for start, end in PAIRS], dtype=np.uint64)
HALF = len(PAIRS) // 2
CELL_NAMES = tuple(f"{chr(ord('a') + cell % COLUMNS)}{cell // COLUMNS + 1}" for cell in range(CELLS))


def start(state: State) -> None:
    """Two rows of pieces for each player, the first player to move."""
    state[MOVER] = 1
    state[WINNER] = OPEN
    state[PIECES] = START[0]
    state[PIECES + 1] = START[1]


def legal(state: State, mask: Mask) -> None:
    """Every step of a piece to an empty cell, and every diagonal one to an opponent's piece, until the game is over."""
    mover = int(state[MOVER])
    own, other = state[PIECES + mover - 1], state[PIECES + 2 - mover]
    empty = ~(own | other)
    if state[WINNER] != OPEN:
        own = NONE
    for action in range(HALF):
        up, down = action, HALF + action
        mask[up] = mover == 1 and own & FROM[up] != 0 and (empty & TO[up]) | (other & CAPTURED[up]) != 0
        mask[down] = mover == 2 and own & FROM[down] != 0 and (empty & TO[down]) | (other & CAPTURED[down]) != 0


def play(state: State, action: int) -> None:
    """Step, and capture what is there."""
    mover = int(state[MOVER])
    own, other = PIECES + mover - 1, PIECES + 2 - mover
    state[own] ^= FROM[action] | TO[action]
    state[other] &= ~TO[action]
    if TO[action] & GOAL[mover - 1] != 0 or state[other] == 0:
        state[WINNER] = mover
    else:
        state[MOVER] = 3 - mover


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a piece can reach the last row, or capture the opponent's last piece.

    A piece in the row before the last can always go on: diagonally, because the last row holds none of its own side.
    """
    mover = int(state[MOVER])
    other = state[PIECES + 2 - mover]
    if state[PIECES + mover - 1] & BEFORE_GOAL[mover - 1] != 0:
        return True
    if other & (other - ONE) == 0:
        for action in range(2 * HALF):
            if mask[action] and TO[action] == other:
                return True
    return False


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    for cell in range(CELLS):
        at = np.uint64(cell)
        board[cell] = ((state[PIECES] >> at) & ONE) + np.uint64(2) * ((state[PIECES + 1] >> at) & ONE)


def from_cells(board: Board, state: State) -> None:
    """Set the pieces cell by cell."""
    state[PIECES] = state[PIECES + 1] = 0
    for cell in range(CELLS):
        if board[cell] > 0:
            state[PIECES + int(board[cell]) - 1] |= ONE << np.uint64(cell)


def name(state: State, action: int) -> str:
    """A step as `a2-a3`, a capture as `a2xb3`."""
    start, end = PAIRS[action]
    taken = (state[PIECES] | state[PIECES + 1]) & TO[action] != 0
    return f"{CELL_NAMES[start]}{'x' if taken else '-'}{CELL_NAMES[end]}"
