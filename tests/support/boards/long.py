"""A game of 1,200 moves on a single cell, by which one counts."""

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game, Mask, State

GAME = Game(env_id="test-long", width=1, height=1, num_actions=1, state_words=5, flag_words=2, max_plies=1200)


def legal(state: State, mask: Mask) -> None:
    """The only move."""
    mask[0] = state[WINNER] == OPEN


def play(state: State, action: int) -> None:
    """Count; a flag of a stored state is a byte."""
    state[FLAGS] += 1
    if state[FLAGS] == 200:
        state[FLAGS] = 0
        state[FLAGS + 1] += 1
    if state[FLAGS + 1] == 6:
        state[WINNER] = state[MOVER]
    else:
        state[MOVER] = 3 - state[MOVER]
