"""Of eleven counters one takes one, two or three in turn, from the left; who takes the last one wins.

Its actions are no places: action 0 takes one counter, wherever that is.
"""

from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game, Mask, State

COUNTERS = 11
GAME = Game(
    env_id="test-counters",
    display_name="Counters",
    description="Take the last counter.",
    width=COUNTERS,
    height=1,
    num_actions=3,
    max_plies=COUNTERS,
)


def legal(state: State, mask: Mask) -> None:
    """As many as are left."""
    for action in range(3):
        mask[action] = state[WINNER] == OPEN and state[FLAGS + COUNTERS - 1 - action] == 0


def play(state: State, action: int) -> None:
    """Take action + 1 counters."""
    mover = int(state[MOVER])
    first = FLAGS
    while state[first] != 0:
        first += 1
    state[first : first + action + 1] = mover
    if state[FLAGS + COUNTERS - 1] != 0:
        state[WINNER] = mover
    else:
        state[MOVER] = 3 - mover
