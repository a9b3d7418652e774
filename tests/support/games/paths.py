"""A stone moves to a neighbouring cell of a 3x3 board where it hasn't been. A player who leaves no such cell wins.

Which cells it has visited is a history: of one position it decides the legal moves only, which are a word of the key.
"""

import numpy as np

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game, Mask, State

SIDE = 3
CELLS = SIDE * SIDE

GAME = Game(
    env_id="paths",
    display_name="Paths",
    description="Block the stone's path.",
    width=1,
    height=1,
    num_actions=CELLS,
    max_plies=CELLS,
    raw_words=2,
    key_words=FLAGS + 2,
    symbols="012345678",
)

AT, NEXT, VISITED = FLAGS, FLAGS + 1, FLAGS + 2  # a cell; two sets of cells, of which bit i is cell i
ONE = np.uint64(1)
NEIGHBOURS = np.array(
    [
        sum(1 << n for n in range(CELLS) if max(abs(n // SIDE - cell // SIDE), abs(n % SIDE - cell % SIDE)) == 1)
        for cell in range(CELLS)
    ],
    dtype=np.uint64,
)


def start(state: State) -> None:
    """The stone is in the middle of the upper side."""
    state[:] = 0
    state[MOVER] = 1
    state[AT] = 1
    state[VISITED] = np.uint64(2)
    state[NEXT] = NEIGHBOURS[1]


def legal(state: State, mask: Mask) -> None:
    """The neighbours that weren't visited."""
    for cell in range(CELLS):
        mask[cell] = state[WINNER] == OPEN and (state[NEXT] >> np.uint64(cell)) & ONE != 0


def play(state: State, action: int) -> None:
    """Move the stone."""
    state[AT] = action
    state[VISITED] |= ONE << np.uint64(action)
    state[NEXT] = NEIGHBOURS[action] & ~state[VISITED]
    if state[NEXT] == 0:
        state[WINNER] = state[MOVER]
    else:
        state[MOVER] = 3 - int(state[MOVER])
