"""Heuristic of Connect 4: each side's lines of four that are still open, weighted by how many discs they hold.

As in the minimax baseline of AlphaZero.jl (games/connect-four): a line of four cells without a disc of the opponent counts
1, 10 or 100 if it holds one, two or three discs of the player.
"""

from __future__ import annotations

import numpy as np

from trainer.games.base import MOVER, State
from trainer.games.connect4.rules import DIRECTIONS, STONES

DEPTH = 5
ORDER = np.array([3, 2, 4, 1, 5, 0, 6])  # from the middle outwards
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
BOARD = np.uint64(sum(0b111111 << (9 * column) for column in range(7)))
# The cells where a line of four starts, for each direction.
STARTS = BOARD & (BOARD >> DIRECTIONS) & (BOARD >> (TWO * DIRECTIONS)) & (BOARD >> (THREE * DIRECTIONS))


def value(state: State) -> int:
    """The value of an unfinished position for the player to move."""
    mover = int(state[MOVER])
    own, other = state[STONES + mover - 1], state[STONES + 2 - mover]
    return open_fours(own, other) - open_fours(other, own)


def open_fours(own: np.uint64, other: np.uint64) -> int:
    """The weighted count of one side's open lines; the discs of all lines in a direction are counted at once."""
    total = 0
    for number in range(4):
        step = DIRECTIONS[number]
        taken = other | (other >> step) | (other >> (TWO * step)) | (other >> (THREE * step))
        lines = STARTS[number] & ~taken
        second, third, fourth = own >> step, own >> (TWO * step), own >> (THREE * step)
        lower, upper = own ^ second, third ^ fourth
        ones = lower ^ upper  # the sum of four bits, digit by digit
        twos = (own & second) ^ (third & fourth) ^ (lower & upper)
        total += count(lines & ones & ~twos) + 10 * count(lines & twos & ~ones) + 100 * count(lines & ones & twos)
    return total


def count(bits: np.uint64) -> int:
    """How many bits are set."""
    number = 0
    while bits != 0:
        bits &= bits - ONE
        number += 1
    return number
