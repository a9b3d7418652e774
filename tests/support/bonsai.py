"""A game that fits into one's head, so that a search of it can be worked out by hand.

Its whole tree is written in the position. There are two actions; from node n they lead to the nodes 2n + 1 and 2n + 2:

    0 ┬ 1 ┬ 3 ...
      │   └ 4 ...
      └ 2 ┬ 5 ...
          └ 6 ...

state[KIND + n] says what happens when node n is reached: OPEN (the other player moves), AGAIN (the same player moves),
FIRST, SECOND or DRAW (the game is over), or that there is no such action, ABSENT. After four plies the game is a draw.
The board is a row of cells, one a node; a stone of the first player marks the node where the game stands.
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
    """The root of a tree that is open everywhere."""
    state[:] = 0
    state[MOVER] = 1


def legal(state: State, mask: Mask) -> None:
    """Every action that is not absent, until the game is over."""
    for action in range(2):
        mask[action] = state[WINNER] == OPEN and state[KIND + 2 * int(state[NODE]) + 1 + action] != ABSENT


def play(state: State, action: int) -> None:
    """Go to a child."""
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
    """Mark the node where the game stands."""
    board[:] = 0
    board[int(state[NODE])] = 1


def from_cells(board: Board, state: State) -> None:
    """Go to the marked node."""
    state[NODE] = np.argmax(board)
