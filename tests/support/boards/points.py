"""A small game on crossings: a stone whose neighbours are all the opponent's is taken. After two passes most stones win."""

import numpy as np

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game, Mask, State

SIDE = 5
CELLS = SIDE * SIDE
PASS = CELLS
GAME = Game(
    env_id="test-points",
    display_name="Small Go",
    description="Surround stones, and have the most at the end.",
    width=SIDE,
    height=SIDE,
    num_actions=CELLS + 1,
    state_words=FLAGS + 2 + CELLS,
    max_plies=60,
    flag_words=2,  # whether the last move was a pass; how many moves were made
    player_names=("Black", "White"),
    player_symbols=("B", "W"),
    board_type="points",
)
PASSED, MADE, BOARD = FLAGS, FLAGS + 1, FLAGS + 2
NEIGHBOURS = np.array(
    [
        [
            (row + down) * SIDE + column + right if 0 <= row + down < SIDE and 0 <= column + right < SIDE else -1
            for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0))
        ]
        for row in range(SIDE)
        for column in range(SIDE)
    ]
)


def legal(state: State, mask: Mask) -> None:
    """Every empty crossing, and the pass."""
    for cell in range(CELLS):
        mask[cell] = state[WINNER] == OPEN and state[BOARD + cell] == 0
    mask[PASS] = state[WINNER] == OPEN


def play(state: State, action: int) -> None:
    """Put a stone and take what it surrounds, or pass."""
    mover = int(state[MOVER])
    ends = action == PASS and state[PASSED] == 1
    state[PASSED] = action == PASS
    state[MADE] += np.uint64(1)
    if action != PASS:
        state[BOARD + action] = mover
        for cell in NEIGHBOURS[action]:
            if cell >= 0 and state[BOARD + cell] == 3 - mover and is_taken(state, cell, mover):
                state[BOARD + cell] = 0
    if ends or state[MADE] == 60:
        lead = 0
        for cell in range(CELLS):
            lead += (0, 1, -1)[int(state[BOARD + cell])]
        state[WINNER] = 1 if lead > 0 else 2
    else:
        state[MOVER] = 3 - mover


def is_taken(state: State, cell: int, mover: int) -> bool:
    """Whether all neighbours of a stone are the mover's."""
    free = 0
    for other in NEIGHBOURS[cell]:
        free += other >= 0 and state[BOARD + other] != mover
    return bool(free == 0)


def score(state: State) -> tuple[float, float]:
    """Both players' stones; White gets half a point more."""
    stones = state[BOARD:].tolist()
    return stones.count(1), stones.count(2) + 0.5
