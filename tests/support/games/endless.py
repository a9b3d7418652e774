"""A game that never ends, although it promises to be over after nine moves: the players pass the turn to each other."""

import numpy as np

from trainer.games.base import MOVER, Game, Mask, State

GAME = Game(env_id="endless", width=1, height=1, num_actions=2, max_plies=9)


def legal(state: State, mask: Mask) -> None:
    """Both moves are always legal."""
    mask[:] = True


def play(state: State, action: int) -> None:
    """The other player is to move."""
    state[MOVER] ^= np.uint64(3)
