"""m,n,k-games: get `line` stones in a row, or more, on a board `width` wide and `height` high.

Gomoku is `mnk:width=15,height=15,line=5`. The rules are the free ones: the first player has no handicap, and a longer line
wins, too. Cell and action index: row * width + column, row 0 at the top.
"""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, State
from trainer.games.parameters import parameter
from trainer.games.symmetry import Symmetry, square_symmetries

WIDTH = parameter("width", 5, least=3, most=19)
HEIGHT = parameter("height", 5, least=3, most=19)
LINE = parameter("line", 4, least=3, most=max(WIDTH, HEIGHT))
CELLS = WIDTH * HEIGHT
WORDS = (CELLS + 63) // 64

# The four symmetries of a rectangle, as the cells in their new order.
TURNED = [np.arange(CELLS).reshape(HEIGHT, WIDTH)[::down, ::right].ravel() for down in (1, -1) for right in (1, -1)]
RECTANGLE = tuple(Symmetry(tuple(cells.tolist()), tuple(cells.tolist())) for cells in TURNED)

GAME = Game(
    env_id="mnk",
    display_name="m,n,k-game",
    description=f"Get {LINE} in a row on a board {WIDTH} wide and {HEIGHT} high.",
    width=WIDTH,
    height=HEIGHT,
    num_actions=CELLS,
    state_words=FLAGS + 2 * WORDS,
    max_plies=CELLS,
    symmetries=square_symmetries(WIDTH) if WIDTH == HEIGHT else RECTANGLE,
    typical_plies=min(CELLS, 8 * LINE),  # on a large board somebody wins long before it is full
    line=LINE,
)

STONES = FLAGS  # WORDS words of the first player, then as many of the second: cell c is bit c % 64 of word c // 64
ONE = np.uint64(1)
NONE = np.uint64(0)
BOARD = np.array([((1 << CELLS) - 1) >> (64 * word) & (2**64 - 1) for word in range(WORDS)], dtype=np.uint64)
# Directions 0 to 3 lead to higher cells: along a row, a diagonal, a column, the other diagonal. Direction d + 4 is the
# opposite of d.
DOWN = (0, 1, 1, 1, 0, -1, -1, -1)
RIGHT = (1, -1, 0, 1, -1, 1, 0, -1)
STEPS = np.array([WIDTH * down + right for down, right in zip(DOWN, RIGHT, strict=True)], dtype=np.int64)
# How many steps there are from a cell to the edge of the board, in each direction.
ROOM = np.array(
    [
        [
            min(
                {-1: row, 0: CELLS, 1: HEIGHT - 1 - row}[down],
                {-1: column, 0: CELLS, 1: WIDTH - 1 - column}[right],
            )
            for down, right in zip(DOWN, RIGHT, strict=True)
        ]
        for row in range(HEIGHT)
        for column in range(WIDTH)
    ],
    dtype=np.int64,
)


def legal(state: State, mask: Mask) -> None:
    """Every empty cell, until the game is over."""
    is_open = state[WINNER] == OPEN
    for word in range(WORDS):
        empty = ~(state[STONES + word] | state[STONES + WORDS + word]) if is_open else NONE
        for bit in range(min(64, CELLS - 64 * word)):
            mask[64 * word + bit] = (empty >> np.uint64(bit)) & ONE != 0


def play(state: State, action: int) -> None:
    """Put the mover's stone on a cell. Only lines through this cell can be new."""
    mover = int(state[MOVER])
    own = STONES + WORDS * (mover - 1)
    state[own + (action >> 6)] |= ONE << np.uint64(action & 63)
    if makes_line(state, own, action):
        state[WINNER] = mover
    elif is_full(state):
        state[WINNER] = DRAW
    else:
        state[MOVER] = 3 - mover


def makes_line(state: State, own: int, cell: int) -> bool:
    """Whether a stone on a cell is part of a line; the player's words begin at `own`."""
    for direction in range(4):
        if 1 + stones_from(state, own, cell, direction) + stones_from(state, own, cell, direction + 4) >= LINE:
            return True
    return False


def stones_from(state: State, own: int, cell: int, direction: int) -> int:
    """How many of the player's stones follow a cell in one direction without a gap."""
    count = 0
    while count < ROOM[cell, direction]:
        at = cell + (count + 1) * STEPS[direction]
        if (state[own + (at >> 6)] >> np.uint64(at & 63)) & ONE == 0:
            break
        count += 1
    return count


def is_full(state: State) -> bool:
    """Whether no cell is empty."""
    for word in range(WORDS):
        if state[STONES + word] | state[STONES + WORDS + word] != BOARD[word]:
            return False
    return True


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a stone on one of the cells of `mask` completes a line.

    A line of three or more has two other stones next to the new one: two on one side, or one on each. Cells with such
    neighbours are found for a whole word at once, and only these are looked at one by one. Neighbours are taken beyond the
    left and right edge, too; that only adds cells to look at.
    """
    own = STONES + WORDS * (int(state[MOVER]) - 1)
    for word in range(WORDS):
        found = NONE
        for direction in range(4):
            step, at = STEPS[direction], 64 * word
            after, before = stones_at(state, own, at + step), stones_at(state, own, at - step)
            found |= after & before
            found |= after & stones_at(state, own, at + 2 * step)
            found |= before & stones_at(state, own, at - 2 * step)
        found &= ~(state[STONES + word] | state[STONES + WORDS + word]) & BOARD[word]
        for bit in range(64):
            if found >> np.uint64(bit) == 0:
                break
            cell = 64 * word + bit
            if (found >> np.uint64(bit)) & ONE != 0 and mask[cell] and makes_line(state, own, cell):
                return True
    return False


def stones_at(state: State, own: int, cell: int) -> np.uint64:
    """The player's stones on 64 cells, the first of which may lie before the board."""
    word, bit = cell >> 6, np.uint64(cell & 63)
    stones = state[own + word] >> bit if 0 <= word < WORDS else NONE
    if bit != 0 and -1 <= word < WORDS - 1:
        stones |= state[own + word + 1] << (np.uint64(64) - bit)
    return np.uint64(stones)


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    for cell in range(CELLS):
        word, at = STONES + (cell >> 6), np.uint64(cell & 63)
        board[cell] = ((state[word] >> at) & ONE) + np.uint64(2) * ((state[word + WORDS] >> at) & ONE)


def from_cells(board: Board, state: State) -> None:
    """Set the stones cell by cell."""
    for word in range(2 * WORDS):
        state[STONES + word] = 0
    for cell in range(CELLS):
        if board[cell] > 0:
            state[STONES + WORDS * (int(board[cell]) - 1) + (cell >> 6)] |= ONE << np.uint64(cell & 63)
