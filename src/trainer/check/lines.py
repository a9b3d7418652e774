"""Kernels that count lines of play (perft) and play random games as fast as the rules allow.

Compiled for each game by `trainer.games.kernels`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from trainer.games.base import MOVER, OPEN, WINNER, Mask, Moves, Rules, State

ALLOCATES = True
rules: Rules
own: ModuleType
NUM_ACTIONS: int
HAS_MOVES: bool


NONE = -1  # no action, because none is legal
TRIES = 6
"""Actions that are drawn at random before the legal ones are counted."""
MULTIPLIER = np.uint64(1103515245)  # of a linear congruential generator (ISO C's example)
BELOW = np.uint64(2**31 - 1)


def perft(first: State, depth: int, by_turns: bool, longest: int) -> int:
    """The number of lines of exactly `depth` plies from a position, or of exactly `depth` turns.

    A turn is all moves until the mover changes or the game ends. `longest` is the most plies that a line can have. The lines
    are walked depth-first over a stack of positions, with the next action to try in each.
    """
    line = np.zeros((longest + 1, len(first)), np.uint64)
    legal = np.zeros((longest + 1, NUM_ACTIONS), np.bool_)
    found = np.zeros(NUM_ACTIONS, np.int32)
    tried = np.zeros(longest + 1, np.int64)
    done = np.zeros(longest + 1, np.int64)  # plies or turns
    line[0] = first
    rules.legal(line[0], legal[0], found)
    leaves, ply = 0, 0
    while ply >= 0:
        if done[ply] == depth or ply == longest or line[ply, WINNER] != OPEN:
            leaves += done[ply] == depth
            ply -= 1
            continue
        action = tried[ply]
        while action < NUM_ACTIONS and not legal[ply, action]:
            action += 1
        tried[ply] = action + 1
        if action == NUM_ACTIONS:
            ply -= 1
            continue
        after = line[ply + 1]
        for word in range(len(after)):
            after[word] = line[ply, word]
        rules.play(after, action)
        ended = after[WINNER] != OPEN or after[MOVER] != line[ply, MOVER]
        done[ply + 1] = done[ply] + (1 if not by_turns or ended else 0)
        ply += 1
        tried[ply] = 0
        if done[ply] < depth and after[WINNER] == OPEN:
            rules.legal(after, legal[ply], found)
    return leaves


def playouts(games: int, seed: int, longest: int, state: State, mask: Mask, found: Moves) -> int:
    """Play random games of at most `longest` moves; returns the number of moves. The arrays are scratch memory."""
    moves = 0
    word = np.uint64(seed * 2 + 1)
    for _ in range(games):
        rules.start(state)
        for _ in range(longest):
            if state[WINNER] != OPEN:
                break
            word ^= word << np.uint64(13)
            word ^= word >> np.uint64(7)
            word ^= word << np.uint64(17)
            drawn = word >> np.uint64(33)
            if HAS_MOVES:
                count = min(int(np.int64(own.moves(state, found))), NUM_ACTIONS)
                action = int(found[int((drawn * np.uint64(count)) >> np.uint64(31))]) if count > 0 else NONE
            else:
                rules.legal(state, mask, found)
                action = drawn_from(mask, drawn)
            if action == NONE:  # such rules are wrong, but whoever finds that out needs a process that lives
                break
            rules.play(state, action)
            moves += 1
    return moves


def drawn_from(mask: Mask, drawn: np.uint64) -> int:
    """A legal action, each with the same probability, by a random number below 2^31; NONE if there is none.

    Where many actions are legal, drawing until one is found is quicker than counting them.
    """
    action = int(np.int64((drawn * np.uint64(NUM_ACTIONS)) >> np.uint64(31)))
    for _ in range(TRIES):
        if mask[action]:
            return action
        drawn = (drawn * MULTIPLIER + np.uint64(1)) & BELOW
        action = int(np.int64((drawn * np.uint64(NUM_ACTIONS)) >> np.uint64(31)))
    count = 0
    for place in range(NUM_ACTIONS):
        count += mask[place]
    if count == 0:
        return NONE
    left = int(np.int64((drawn * np.uint64(count)) >> np.uint64(31)))
    action = 0
    while not mask[action] or left > 0:
        left -= mask[action]
        action += 1
    return action
