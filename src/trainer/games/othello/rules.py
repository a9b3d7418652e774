"""Othello on 8x8: a disc must enclose opposing discs, which are flipped; the player with most discs at the end wins.

Cell index: row * 8 + column, row 0 at the top. Action 64 is the pass, which is legal only if nothing else is. The game
ends as soon as neither player can place a disc.
"""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, State
from trainer.games.symmetry import square_symmetries

GAME = Game(
    env_id="othello",
    display_name="Othello",
    description="Enclose discs to flip them; most discs at the end wins.",
    width=8,
    height=8,
    num_actions=65,
    state_words=5,
    max_plies=120,  # 60 discs, each after at most one pass
    symmetries=square_symmetries(8, further_actions=1),
    flag_words=1,
    forced_wins=True,  # players with few discs, who usually stand well, can lose them all
    player_names=("Black", "White"),
    player_symbols=("B", "W"),
)

PASS = 64
JUST_PASSED = FLAGS
STONES = FLAGS + 1  # two words, black's and white's: bit i is cell i
ONE = np.uint64(1)
NONE = np.uint64(0)
# A step to a higher bit, and in the other direction to a lower one: along a row, a diagonal, a column, the other diagonal.
# No step may leave the last column and arrive in the first, or the other way round.
STEPS = np.array([1, 7, 8, 9], dtype=np.uint64)
ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
NOT_FIRST_COLUMN = np.uint64(0xFEFE_FEFE_FEFE_FEFE)
NOT_LAST_COLUMN = np.uint64(0x7F7F_7F7F_7F7F_7F7F)
ARRIVE_UP = np.array([NOT_FIRST_COLUMN, NOT_LAST_COLUMN, ALL, NOT_FIRST_COLUMN], dtype=np.uint64)
ARRIVE_DOWN = np.array([NOT_LAST_COLUMN, NOT_FIRST_COLUMN, ALL, NOT_LAST_COLUMN], dtype=np.uint64)
# For each cell, the cells on a line with it, along a row, a column or a diagonal: a disc there can flip no others.
LINES = np.array(
    [
        sum(
            1 << cell
            for cell in range(64)
            if cell // 8 == at // 8 or cell % 8 == at % 8 or abs(cell // 8 - at // 8) == abs(cell % 8 - at % 8)
        )
        for at in range(64)
    ],
    dtype=np.uint64,
)


def start(state: State) -> None:
    """Four discs in the middle, black to move."""
    state[:] = 0
    state[MOVER] = 1
    state[STONES] = (ONE << np.uint64(28)) | (ONE << np.uint64(35))
    state[STONES + 1] = (ONE << np.uint64(27)) | (ONE << np.uint64(36))


def legal(state: State, mask: Mask) -> None:
    """Every cell where a disc encloses something; the pass if there is none."""
    mover = int(state[MOVER])
    places = NONE
    if state[WINNER] == OPEN:
        places = placements(state[STONES + mover - 1], state[STONES + 2 - mover])
    for cell in range(64):
        mask[cell] = (places >> np.uint64(cell)) & ONE != 0
    mask[PASS] = state[WINNER] == OPEN and places == 0


def play(state: State, action: int) -> None:
    """Place a disc and flip what it encloses, or pass."""
    mover = int(state[MOVER])
    if action == PASS:
        state[JUST_PASSED] = 1
        state[MOVER] = 3 - mover
        return
    disc = ONE << np.uint64(action)
    own, other = state[STONES + mover - 1], state[STONES + 2 - mover]
    turned = flips(disc, own, other)
    own = own | disc | turned
    other = other & ~turned
    state[STONES + mover - 1], state[STONES + 2 - mover] = own, other
    state[JUST_PASSED] = 0
    if placements(other, own) != 0 or placements(own, other) != 0:
        state[MOVER] = 3 - mover
        return
    first, second = count(state[STONES]), count(state[STONES + 1])
    state[WINNER] = 1 if first > second else 2 if second > first else DRAW


def wins_next(state: State, mask: Mask) -> bool:
    """Whether a move of `mask` wins at once: it takes the opponent's last disc, or it fills the board.

    Games can also end because neither player can move although there are empty cells and discs of both. That is rare, and
    not looked for.
    """
    mover = int(state[MOVER])
    own, other = state[STONES + mover - 1], state[STONES + 2 - mover]
    empty = ~(own | other)
    for cell in range(64):
        disc = ONE << np.uint64(cell)
        if mask[cell] and (other & ~LINES[cell] == 0 or empty == disc):
            left = other & ~flips(disc, own, other)
            if left == 0 or (empty == disc and count(left) < 32):
                return True
    return False


def shift(stones: np.uint64, direction: int) -> np.uint64:
    """Move every disc by one cell; directions 0 to 3 lead to higher bits, 4 to 7 to lower ones."""
    if direction < 4:
        return np.uint64((stones << STEPS[direction]) & ARRIVE_UP[direction])
    return np.uint64((stones >> STEPS[direction - 4]) & ARRIVE_DOWN[direction - 4])


def placements(own: np.uint64, other: np.uint64) -> np.uint64:
    """The empty cells where a disc encloses at least one of the other's: follow all runs of those at once."""
    empty = ~(own | other)
    places = NONE
    for direction in range(8):
        run = shift(own, direction) & other
        for _ in range(5):
            run |= shift(run, direction) & other
        places |= shift(run, direction) & empty
    return np.uint64(places)


def flips(disc: np.uint64, own: np.uint64, other: np.uint64) -> np.uint64:
    """The other's discs between `disc` and one of the mover's own, in every direction."""
    turned = NONE
    for direction in range(8):
        run = shift(disc, direction) & other
        for _ in range(5):
            run |= shift(run, direction) & other
        if shift(run, direction) & own != 0:
            turned |= run
    return np.uint64(turned)


def count(stones: np.uint64) -> int:
    """How many bits are set."""
    number = 0
    while stones != 0:
        stones &= stones - ONE
        number += 1
    return number


def cells(state: State, board: Board) -> None:
    """Read the board cell by cell."""
    for cell in range(64):
        at = np.uint64(cell)
        board[cell] = ((state[STONES] >> at) & ONE) + np.uint64(2) * ((state[STONES + 1] >> at) & ONE)


def from_cells(board: Board, state: State) -> None:
    """Set the discs cell by cell."""
    state[STONES:] = 0
    for cell in range(64):
        if board[cell] > 0:
            state[STONES + int(board[cell]) - 1] |= ONE << np.uint64(cell)


def name(state: State, action: int) -> str:
    """The column's letter and the row's number from the top, as is usual in Othello: a1 is the top left cell."""
    return "pass" if action == PASS else f"{'abcdefgh'[action % 8]}{action // 8 + 1}"


def score(state: State) -> tuple[int, int]:
    """Both players' discs."""
    return int(state[STONES]).bit_count(), int(state[STONES + 1]).bit_count()
