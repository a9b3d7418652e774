"""A game small enough that its searches can be worked out by hand.

The position holds the whole tree. There are two actions. From node n they lead to the nodes 2n + 1 and 2n + 2:

    0 ┬ 1 ┬ 3 ...
      │   └ 4 ...
      └ 2 ┬ 5 ...
          └ 6 ...

state[KIND + n] is the kind of node n: OPEN (the other player moves), AGAIN (the same player moves again), FIRST, SECOND or
DRAW (the game is over with this result), or ABSENT (no action leads here). After four plies the game is a draw. The board
is a row of cells, one per node. A stone of the first player marks the current node.
"""

import numpy as np

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Board, Game, Mask, State
from trainer.games.symmetry import Symmetry

NODES = 31
GAME = Game(
    env_id="bonsai",
    display_name="Bonsai",
    description="Walk down a small tree.",
    width=NODES,
    height=1,
    num_actions=2,
    state_words=3 + NODES,
    max_plies=4,
    symmetries=(Symmetry(tuple(range(NODES)), (0, 1)),),
)

NODE = FLAGS
KIND = FLAGS + 1
AGAIN, ABSENT = 4, 5


def start(state: State) -> None:
    """The root of a tree whose nodes are all OPEN."""
    state[:] = 0
    state[MOVER] = 1


def legal(state: State, mask: Mask) -> None:
    """Every action that does not lead to an ABSENT node, until the game is over."""
    for action in range(2):
        mask[action] = state[WINNER] == OPEN and state[KIND + 2 * int(state[NODE]) + 1 + action] != ABSENT


def play(state: State, action: int) -> None:
    """Move to a child."""
    node = 2 * int(state[NODE]) + 1 + action
    state[NODE] = node
    kind = state[KIND + node]
    if kind == OPEN and node < NODES // 2:
        state[MOVER] = 3 - state[MOVER]
    elif kind == OPEN:
        state[WINNER] = DRAW
    elif kind != AGAIN:
        state[WINNER] = kind


def cells(state: State, board: Board) -> None:
    """Mark the current node."""
    board[:] = 0
    board[int(state[NODE])] = 1


def from_cells(board: Board, state: State) -> None:
    """Make the marked node the current one."""
    state[NODE] = np.argmax(board)
