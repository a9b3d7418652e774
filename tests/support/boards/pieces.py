"""Hexapawn on 4x4 with promotions: a small game of pieces that go from cell to cell."""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game, Mask, Seats, State

SIDE = 4
CELLS = SIDE * SIDE
QUEEN, KNIGHT = 3, 5  # the first player's; the second player's codes are one more
# Who moves, from, to, and what the pawn becomes.
MOVES = tuple(
    (player, row * SIDE + column, (row + step) * SIDE + column + right, became)
    for player, step in ((1, 1), (2, -1))
    for row in range(SIDE)
    for column in range(SIDE)
    for right in (-1, 0, 1)
    if 0 <= row + step < SIDE and 0 <= column + right < SIDE
    for became in ((QUEEN, KNIGHT) if row + step in (0, SIDE - 1) else (1,))
)
FLIPPED = tuple(np.arange(CELLS).reshape(SIDE, SIDE)[::-1].ravel().tolist())
GAME = Game(
    env_id="test-pieces",
    display_name="Hexapawn",
    description="Reach the other end.",
    width=SIDE,
    height=SIDE,
    num_actions=len(MOVES),
    state_words=FLAGS + CELLS,
    max_plies=3 * SIDE * 2,
    seats=Seats(
        cells=FLIPPED,
        codes=(0, 2, 1, 4, 3, 6, 5),
        actions=tuple(
            MOVES.index((3 - who, FLIPPED[start], FLIPPED[end], became)) for who, start, end, became in MOVES
        ),
    ),
    player_names=("White", "Black"),
    player_symbols=("W", "B"),
    symbols=".PpQqNn",
    board_type="pieces",
    bottom_row_first=True,
    action_cells=tuple((start, end) for _, start, end, _ in MOVES),
)
TABLE = np.array(MOVES)


def start(state: State) -> None:
    """A row of pawns for each player."""
    state[:] = 0
    state[MOVER] = 1
    for column in range(SIDE):
        state[FLAGS + column] = 1
        state[FLAGS + CELLS - SIDE + column] = 2


def is_legal(state: State, action: int) -> bool:
    """Whether the mover may step straight to an empty cell, or capture diagonally."""
    mover = int(state[MOVER])
    own, end = int(state[FLAGS + TABLE[action, 1]]), int(state[FLAGS + TABLE[action, 2]])
    straight = (TABLE[action, 2] - TABLE[action, 1]) % SIDE == 0
    return bool(TABLE[action, 0] == mover and own == mover and end == (0 if straight else 3 - mover))


def legal(state: State, mask: Mask) -> None:
    """All such moves."""
    for action in range(len(TABLE)):
        mask[action] = state[WINNER] == OPEN and is_legal(state, action)


def play(state: State, action: int) -> None:
    """Move; whoever reaches the other end wins. A player who can't move draws."""
    mover = int(state[MOVER])
    state[FLAGS + TABLE[action, 1]] = 0
    state[FLAGS + TABLE[action, 2]] = TABLE[action, 3] + mover - 1
    if TABLE[action, 3] > 1:
        state[WINNER] = mover
        return
    state[MOVER] = 3 - mover
    for other in range(len(TABLE)):
        if is_legal(state, other):
            return
    state[MOVER] = mover
    state[WINNER] = DRAW


def name(state: State, action: int) -> str:
    """From, to, and the letter of the promotion."""
    _, begin, end, became = MOVES[action]
    cells = "".join(f"{'abcd'[cell % SIDE]}{cell // SIDE + 1}" for cell in (begin, end))
    return cells + {QUEEN: "=Q", KNIGHT: "=N"}.get(became, "")
