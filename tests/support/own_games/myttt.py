"""A game of our own in one file: tic-tac-toe on boards of several sizes."""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game
from trainer.games.parameters import parameter

SIZE = parameter("size", 3, least=3, most=5)
GAME = Game(
    env_id="myttt",
    display_name="My tic-tac-toe",
    description="A full row, column or diagonal wins.",
    width=SIZE,
    height=SIZE,
    num_actions=SIZE * SIZE,
    state_words=2 + SIZE * SIZE,
    max_plies=SIZE * SIZE,
)


def legal(state, mask):
    for cell in range(SIZE * SIZE):
        mask[cell] = state[WINNER] == OPEN and state[FLAGS + cell] == 0


def play(state, action):
    mover = state[MOVER]
    state[FLAGS + action] = mover
    row, column, diagonal, other, filled = 0, 0, 0, 0, 0
    for i in range(SIZE):
        row += state[FLAGS + action // SIZE * SIZE + i] == mover
        column += state[FLAGS + i * SIZE + action % SIZE] == mover
        diagonal += state[FLAGS + i * SIZE + i] == mover
        other += state[FLAGS + i * SIZE + SIZE - 1 - i] == mover
    for cell in range(SIZE * SIZE):
        filled += state[FLAGS + cell] != 0
    if max(row, column, diagonal, other) == SIZE:
        state[WINNER] = mover
    elif filled == SIZE * SIZE:
        state[WINNER] = DRAW
    else:
        state[MOVER] = np.uint64(3) - mover
