"""A small game in which pieces are promoted late, for tests of the checker: correct as it stands.

Men walk forward, straight or aslant. On the last row one becomes a king, which steps anywhere and leaves a hole. Who can't
move loses.
"""

import numpy as np

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, Seats, State

SIZE = 6
CELLS = SIZE * SIZE
HOLE = 5
DOWN = (-1, -1, -1, 0, 0, 1, 1, 1)
RIGHT = (-1, 0, 1, -1, 1, -1, 0, 1)


def clicked(cell: int, direction: int) -> tuple[int, ...]:
    """From where to where; a move that would leave the board is never legal."""
    row, column = cell // SIZE + DOWN[direction], cell % SIZE + RIGHT[direction]
    return (cell, SIZE * row + column) if 0 <= row < SIZE and 0 <= column < SIZE else (cell,)


GAME = Game(
    env_id="kings",
    width=SIZE,
    height=SIZE,
    num_actions=8 * CELLS,
    max_plies=100,
    typical_plies=40,
    symbols=".xoXO#",
    planes=5,
    action_cells=tuple(clicked(cell, direction) for cell in range(CELLS) for direction in range(8)),
    seats=Seats(
        codes=(0, 2, 1, 4, 3, 5),
        planes=(1, 0, 3, 2, 4),
        cells=tuple(reversed(range(CELLS))),
        actions=tuple(reversed(range(8 * CELLS))),
    ),
)


def start(state: State) -> None:
    """A row of men on each side."""
    state[:] = 0
    state[MOVER] = 1
    for column in range(SIZE):
        state[FLAGS + column] = 2
        state[FLAGS + CELLS - 1 - column] = 1


def legal(state: State, mask: Mask) -> None:
    """Action 8 * cell + d moves the piece of a cell in direction d."""
    for action in range(8 * CELLS):
        mask[action] = state[WINNER] == OPEN and may_move(state, action)


def play(state: State, action: int) -> None:
    """Move a piece."""
    cell, direction = action // 8, action % 8
    row, column = cell // SIZE + DOWN[direction], cell % SIZE + RIGHT[direction]
    piece = np.int64(state[FLAGS + cell])
    state[FLAGS + cell] = HOLE if piece > 2 else 0
    if piece <= 2 and (row == 0 or row == SIZE - 1):
        piece += 2
    state[FLAGS + SIZE * row + column] = piece
    state[MOVER] ^= np.uint64(3)
    for answer in range(8 * CELLS):
        if may_move(state, answer):
            return
    state[MOVER] ^= np.uint64(3)
    state[WINNER] = state[MOVER]


def features(state: State, out: Board) -> None:
    """A plane for each kind of piece, and one for the holes."""
    for cell in range(CELLS):
        for plane in range(5):
            out[CELLS * plane + cell] = state[FLAGS + cell] == plane + 1


def may_move(state: State, action: int) -> bool:
    """Whether the mover has a piece there that may go there."""
    cell, direction = action // 8, action % 8
    piece = int(state[FLAGS + cell])
    if piece == 0 or piece == HOLE or (piece - 1) % 2 + 1 != int(state[MOVER]):
        return False
    if piece <= 2 and DOWN[direction] != 2 * piece - 3:
        return False
    row, column = cell // SIZE + DOWN[direction], cell % SIZE + RIGHT[direction]
    return 0 <= row < SIZE and 0 <= column < SIZE and state[FLAGS + SIZE * row + column] == 0
