"""A pile of stones: take 1, 2 or 3. Taking 3 gives another turn. The last stone wins, but taking it with two others draws.

It has a list of moves in place of a mask, and players who move several times in a row.
"""

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game, Moves, State
from trainer.games.parameters import parameter

SIZE = parameter("size", 10, least=1, most=200)

GAME = Game(
    env_id="piles",
    display_name="Piles",
    description="Take the last stone.",
    width=1,
    height=1,
    num_actions=3,
    state_words=3,
    max_plies=SIZE,
)

STONES = FLAGS


def start(state: State) -> None:
    """All stones, player 1 to move."""
    state[:] = 0
    state[MOVER] = 1
    state[STONES] = SIZE


def moves(state: State, found: Moves) -> int:
    """Action a takes a + 1 stones."""
    count = 0
    if state[WINNER] == OPEN:
        for action in range(min(3, int(state[STONES]))):
            found[count] = action
            count += 1
    return count


def play(state: State, action: int) -> None:
    """Take stones."""
    left = int(state[STONES]) - action - 1
    state[STONES] = left
    if left == 0:
        state[WINNER] = DRAW if action == 2 else state[MOVER]
    elif action != 2:
        state[MOVER] = 3 - int(state[MOVER])


def worth(stones: int, action: int) -> int:
    """The result of a move for the player who makes it, under best play, by the definition: 1, 0 or -1."""
    left = stones - action - 1
    if left == 0:
        return 0 if action == 2 else 1
    best = max(worth(left, after) for after in range(min(3, left)))
    return best if action == 2 else -best
