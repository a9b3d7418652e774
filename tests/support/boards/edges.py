"""Two boxes beside each other: a small game of edges, in which closing a box gives another turn."""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game, Mask, Seats, State

WIDTH, HEIGHT = 5, 3
EDGE_CELLS = (1, 3, 5, 7, 9, 11, 13)
GAME = Game(
    env_id="test-edges",
    display_name="Two boxes",
    description="Close a box to own it and move again.",
    width=WIDTH,
    height=HEIGHT,
    num_actions=len(EDGE_CELLS),
    state_words=FLAGS + WIDTH * HEIGHT,
    max_plies=len(EDGE_CELLS),
    seats=Seats(codes=(0, 2, 1, 3)),
    player_names=("Red", "Blue"),
    player_symbols=("R", "B"),
    symbols=".RB#",
    board_type="edges",
    action_cells=tuple((cell,) for cell in EDGE_CELLS),
)
CELLS = np.array(EDGE_CELLS)
BOXES = np.array([6, 8])
SIDES = np.array([-WIDTH, -1, 1, WIDTH])
DRAWN = np.uint64(3)


def legal(state: State, mask: Mask) -> None:
    """Every edge that is not drawn."""
    for edge in range(len(CELLS)):
        mask[edge] = state[WINNER] == OPEN and state[FLAGS + CELLS[edge]] == 0


def play(state: State, action: int) -> None:
    """Draw an edge, and own the boxes that it closes."""
    state[FLAGS + CELLS[action]] = DRAWN
    closes = False
    lead, left = 0, 0
    for box in BOXES:
        drawn = 0
        for side in SIDES:
            drawn += state[FLAGS + box + side] == DRAWN
        if drawn == 4 and state[FLAGS + box] == 0:
            state[FLAGS + box] = state[MOVER]
            closes = True
        lead += (0, 1, -1)[int(state[FLAGS + box])]
        left += state[FLAGS + box] == 0
    if left == 0:
        state[WINNER] = 1 if lead > 0 else 2 if lead < 0 else DRAW
    elif not closes:
        state[MOVER] = np.uint64(3) - state[MOVER]


def score(state: State) -> tuple[int, int]:
    """Both players' boxes."""
    owners = [int(state[FLAGS + box]) for box in BOXES]
    return owners.count(1), owners.count(2)
