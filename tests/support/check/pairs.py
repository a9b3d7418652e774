"""A small game in which players move twice, for tests of the checker: correct as it stands.

Three rows of two places. Who fills the second place of a row owns the row, and moves again. Two rows win. The board has a
third column with the owner of each row.
"""

import numpy as np

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game, Mask, State

GAME = Game(
    env_id="pairs",
    display_name="Pairs",
    description="Own two rows of three.",
    width=3,
    height=3,
    num_actions=6,
    state_words=11,
    max_plies=6,
    action_cells=((0,), (1,), (3,), (4,), (6,), (7,)),
)

TWO = np.uint64(2)
THREE = np.uint64(3)


def legal(state: State, mask: Mask) -> None:
    """Every empty place, until the game is over."""
    for action in range(6):
        mask[action] = state[WINNER] == OPEN and state[place(action)] == 0


def play(state: State, action: int) -> None:
    """Fill a place."""
    mover = state[MOVER]
    state[place(action)] = mover
    row = FLAGS + 3 * (action // 2)
    if state[row] != 0 and state[row + 1] != 0:
        state[row + 2] = mover
        if owned(state, mover) == 2:
            state[WINNER] = mover
    else:
        state[MOVER] = THREE - mover


def wins_next(state: State, mask: Mask) -> bool:
    """Whether the mover, who owns a row, can fill another one."""
    if owned(state, state[MOVER]) == 0:
        return False
    for action in range(6):
        if mask[action] and state[place(action ^ 1)] != 0:
            return True
    return False


def place(action: int) -> int:
    """The word of a place."""
    return FLAGS + 3 * (action // 2) + action % 2


def owned(state: State, player: np.uint64) -> int:
    """How many rows a player owns."""
    count = 0
    for row in range(3):
        if state[FLAGS + 3 * row + 2] == player:
            count += 1
    return count
