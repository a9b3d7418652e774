"""Hex on 3x3: a small game on hexagons, whose players own two sides each."""

import numpy as np

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game, Mask, Seats, State

SIZE = 3
CELLS = SIZE * SIZE
TRANSPOSE = tuple(row * SIZE + column for column in range(SIZE) for row in range(SIZE))
GAME = Game(
    env_id="test-hexagons",
    display_name="Small Hex",
    description="Connect your two sides.",
    width=SIZE,
    height=SIZE,
    num_actions=CELLS,
    state_words=FLAGS + 2 * CELLS,
    max_plies=CELLS,
    key_words=FLAGS + CELLS,
    seats=Seats(cells=TRANSPOSE, actions=TRANSPOSE),
    player_names=("Red", "Blue"),
    player_symbols=("R", "B"),
    board_type="hex",
)
REACHED = FLAGS + CELLS  # scratch: the mover's cells that are connected with the mover's first side
TOUCH = np.array(
    [
        [abs(a % SIZE - b % SIZE) <= 1 and (b // SIZE - a // SIZE, b % SIZE - a % SIZE) in STEPS for b in range(CELLS)]
        for STEPS in [((0, 1), (0, -1), (1, 0), (-1, 0), (1, -1), (-1, 1))]
        for a in range(CELLS)
    ]
)


def legal(state: State, mask: Mask) -> None:
    """Every empty cell."""
    for cell in range(CELLS):
        mask[cell] = state[WINNER] == OPEN and state[FLAGS + cell] == 0


def play(state: State, action: int) -> None:
    """Put a stone on a cell."""
    mover = state[MOVER]
    state[FLAGS + action] = mover
    for cell in range(CELLS):
        side = cell // SIZE if mover == 1 else cell % SIZE
        state[REACHED + cell] = state[FLAGS + cell] == mover and side == 0
    for _ in range(CELLS):
        for cell in range(CELLS):
            for other in range(CELLS):
                if state[REACHED + other] == 1 and TOUCH[other, cell] and state[FLAGS + cell] == mover:
                    state[REACHED + cell] = 1
    for cell in range(CELLS):
        side = cell // SIZE if mover == 1 else cell % SIZE
        if state[REACHED + cell] == 1 and side == SIZE - 1:
            state[WINNER] = mover
    if state[WINNER] == OPEN:
        state[MOVER] = np.uint64(3) - mover
