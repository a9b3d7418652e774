"""A game as large as chess: eight queens a side, captured one by one; whoever has captured four wins.

An action is a cell and one of 73 kinds of moves, as in AlphaZero's chess (Silver et al. 2018, table S2): 8 directions
times 7 distances for a queen. The 17 kinds for knights and promotions are never legal here.
"""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game, Seats

SIDE, CELLS = 8, 64
KINDS, OF_QUEENS = 73, 56
PLIES, BOARD = FLAGS, FLAGS + 1
LONGEST, NEEDED = 200, 4
ROWS = np.array([1, 1, 0, -1, -1, -1, 0, 1])  # of the eight directions
COLUMNS = np.array([0, 1, 1, 1, 0, -1, -1, -1])
UPSIDE_DOWN = (4, 3, 2, 1, 0, 7, 6, 5)
FLIPPED = tuple(cell ^ (SIDE * (SIDE - 1)) for cell in range(CELLS))
GAME = Game(
    env_id="queens",
    width=SIDE,
    height=SIDE,
    num_actions=CELLS * KINDS,
    max_moves=8 * 27,  # a queen reaches at most 27 cells
    max_plies=LONGEST,
    flag_words=1,
    features=8,
    seats=Seats(
        cells=FLIPPED,
        features=tuple(range(8)),
        actions=tuple(
            FLIPPED[cell] * KINDS + (UPSIDE_DOWN[kind // 7] * 7 + kind % 7 if kind < OF_QUEENS else kind)
            for cell in range(CELLS)
            for kind in range(KINDS)
        ),
    ),
    board_type="pieces",
    bottom_row_first=True,
)


def start(state):
    state[:] = 0
    state[MOVER] = 1
    for column in range(SIDE):
        state[BOARD + column] = 1
        state[BOARD + CELLS - SIDE + column] = 2


def moves(state, found):
    count = 0
    if state[WINNER] != OPEN:
        return count
    for cell in range(CELLS):
        if state[BOARD + cell] != state[MOVER]:
            continue
        for kind in range(OF_QUEENS):
            target = reached(state, cell, kind)
            if target >= 0:
                found[count] = cell * KINDS + kind
                count += 1
    return count


def reached(state, cell, kind):
    """Where a move ends; -1 if something is in its way."""
    row, column = cell // SIDE, cell % SIDE
    for distance in range(kind % 7 + 1):
        row += ROWS[kind // 7]
        column += COLUMNS[kind // 7]
        if row < 0 or row >= SIDE or column < 0 or column >= SIDE:
            return -1
        there = state[BOARD + row * SIDE + column]
        if there == state[MOVER] or (there != 0 and distance < kind % 7):
            return -1
    return row * SIDE + column


def play(state, action):
    cell = action // KINDS
    state[BOARD + reached(state, cell, action % KINDS)] = state[MOVER]
    state[BOARD + cell] = 0
    state[PLIES] += 1
    others = 0
    for other in range(CELLS):
        if state[BOARD + other] != 0 and state[BOARD + other] != state[MOVER]:
            others += 1
    if others <= SIDE - NEEDED:
        state[WINNER] = state[MOVER]
    elif state[PLIES] == LONGEST:
        state[WINNER] = DRAW
    else:
        state[MOVER] ^= np.uint64(3)


def features(state, out):
    for cell in range(CELLS):
        out[cell] = state[BOARD + cell] == 1
        out[CELLS + cell] = state[BOARD + cell] == 2
    for bit in range(8):
        out[2 * CELLS + bit] = (int(state[PLIES]) >> bit) & 1
