"""Hex: the first player connects the top of the board with the bottom, the second player the left side with the right.

Cell and action index: row * SIZE + column, row 0 at the top. Each row is drawn half a cell further to the right than the row
above it. So the neighbours of a cell are those beside it, above it, above it to the right, below it, and below it to the
left. There is no swap after the first move. There are no draws: a full board connects exactly one of the two pairs of sides.
"""

import numpy as np

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, Seats, State
from trainer.games.parameters import parameter
from trainer.games.symmetry import Symmetry

SIZE = parameter("size", 7, least=2, most=19)
CELLS = SIZE * SIZE
WORDS = -(-CELLS // 64)  # of a set of cells: bit i of word w is cell 64 * w + i
IDENTITY = tuple(range(CELLS))
TRANSPOSE = tuple(row * SIZE + column for column in range(SIZE) for row in range(SIZE))

GAME = Game(
    env_id="hex",
    display_name="Hex",
    description="Connect your two sides of the board.",
    width=SIZE,
    height=SIZE,
    num_actions=CELLS,
    state_words=FLAGS + 6 * WORDS,
    max_plies=CELLS,
    symmetries=(Symmetry(IDENTITY, IDENTITY), Symmetry(IDENTITY[::-1], IDENTITY[::-1])),  # half a turn
    key_words=FLAGS + 2 * WORDS,
    seats=Seats(cells=TRANSPOSE, actions=TRANSPOSE),
    player_names=("Red", "Blue"),
    player_symbols=("R", "B"),
    board_type="hex",
)

# Six sets of cells: the first player's stones and the second's, then those of the first player's stones that are connected
# with the top, with the bottom, and those of the second's that are connected with the left side, with the right side.
STONES = FLAGS
CONNECTED = STONES + 2 * WORDS
NONE, ONE = np.uint64(0), np.uint64(1)
LAST_BIT = np.uint64(63)
ROW, ROW_BACK = np.uint64(SIZE), np.uint64(64 - SIZE)  # to the cell below
DIAGONAL, DIAGONAL_BACK = np.uint64(SIZE - 1), np.uint64(65 - SIZE)  # to the cell below and to the left


def words_of(cells: tuple[int, ...]) -> list[int]:
    """The words of a set of cells."""
    return [sum(1 << cell % 64 for cell in cells if cell // 64 == word) for word in range(WORDS)]


BOARD = np.array(words_of(IDENTITY), dtype=np.uint64)
SIDES = np.array(  # top, bottom, left, right
    [words_of(side) for side in (IDENTITY[:SIZE], IDENTITY[-SIZE:], IDENTITY[::SIZE], IDENTITY[SIZE - 1 :: SIZE])],
    dtype=np.uint64,
)
NOT_FIRST_COLUMN, NOT_LAST_COLUMN = BOARD & ~SIDES[2], BOARD & ~SIDES[3]


def legal(state: State, mask: Mask) -> None:
    """Every empty cell, until the game is over."""
    for word in range(WORDS):
        empty = BOARD[word] & ~(state[STONES + word] | state[STONES + WORDS + word])
        if state[WINNER] != OPEN:
            empty = NONE
        for cell in range(64 * word, min(64 * word + 64, CELLS)):
            mask[cell] = (empty >> np.uint64(cell & 63)) & ONE != 0


def play(state: State, action: int) -> None:
    """Put the mover's stone on a cell; the mover wins if it is then connected with both sides."""
    player = int(state[MOVER]) - 1
    word, stone = action >> 6, ONE << np.uint64(action & 63)
    stones = STONES + player * WORDS
    state[stones + word] |= stone
    sides = 0
    for side in range(2 * player, 2 * player + 2):
        connected = CONNECTED + side * WORDS
        if (SIDES[side, word] | neighbours(state, connected, word)) & stone != 0:
            state[connected + word] |= stone
            spread(state, connected, stones)
            sides += 1
    if sides == 2:
        state[WINNER] = player + 1
    else:
        state[MOVER] = 2 - player


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a stone on one of the cells of `mask` is connected with both of the mover's sides."""
    side = 2 * (int(state[MOVER]) - 1)
    first = CONNECTED + side * WORDS
    for word in range(WORDS):
        wins = (SIDES[side, word] | neighbours(state, first, word)) & (
            SIDES[side + 1, word] | neighbours(state, first + WORDS, word)
        )
        wins &= ~(state[STONES + word] | state[STONES + WORDS + word])
        if wins != 0:
            for cell in range(64 * word, min(64 * word + 64, CELLS)):
                if mask[cell] and (wins >> np.uint64(cell & 63)) & ONE != 0:
                    return True
    return False


def neighbours(state: State, first: int, word: int) -> np.uint64:
    """The word `word` of the neighbours of a set of cells, whose words begin at `first`."""
    here = state[first + word]
    before = state[first + word - 1] if word > 0 else NONE
    after = state[first + word + 1] if word < WORDS - 1 else NONE
    right = (here << ONE) | (before >> LAST_BIT)
    left = (here >> ONE) | (after << LAST_BIT)
    below = (here << ROW) | (before >> ROW_BACK)
    above = (here >> ROW) | (after << ROW_BACK)
    below_left = (here << DIAGONAL) | (before >> DIAGONAL_BACK)
    above_right = (here >> DIAGONAL) | (after << DIAGONAL_BACK)
    inside = ((right | above_right) & NOT_FIRST_COLUMN[word]) | ((left | below_left) & NOT_LAST_COLUMN[word])
    return np.uint64(inside | ((below | above) & BOARD[word]))


def spread(state: State, connected: int, stones: int) -> None:
    """Add to the set of cells at `connected` the cells of the set at `stones` that can be reached from it."""
    grows = True
    while grows:
        grows = False
        for word in range(WORDS):
            reached = state[connected + word]
            further = neighbours(state, connected, word) & state[stones + word] & ~reached
            if further != 0:
                state[connected + word] = reached | further
                grows = True


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    for cell in range(CELLS):
        word, at = STONES + (cell >> 6), np.uint64(cell & 63)
        board[cell] = ((state[word] >> at) & ONE) + np.uint64(2) * ((state[word + WORDS] >> at) & ONE)


def from_cells(board: Board, state: State) -> None:
    """Set the stones cell by cell, and find those that are connected with a side."""
    state[STONES:] = 0
    for cell in range(CELLS):
        if board[cell] > 0:
            state[STONES + (int(board[cell]) - 1) * WORDS + (cell >> 6)] |= ONE << np.uint64(cell & 63)
    for side in range(4):
        stones, connected = STONES + side // 2 * WORDS, CONNECTED + side * WORDS
        for word in range(WORDS):
            state[connected + word] = state[stones + word] & SIDES[side, word]
        spread(state, connected, stones)


def name(state: State, action: int) -> str:
    """The column's letter and the row's number from the top, as is usual in Hex: a1 is the top left cell."""
    row, column = divmod(action, SIZE)
    return f"{chr(ord('a') + column)}{row + 1}"


def text(state: State) -> str:
    """The board as a rhombus, with the names of its columns and rows."""
    board = np.zeros(CELLS, np.uint8)
    cells(state, board)
    lines = ["   " + " ".join(chr(ord("a") + column) for column in range(SIZE))]
    for row in range(SIZE):
        symbols = (GAME.cell_symbols[code] for code in board[row * SIZE : (row + 1) * SIZE])
        lines.append(f"{' ' * row}{row + 1:2} {' '.join(symbols)}")
    return "\n".join(lines)
