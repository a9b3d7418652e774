"""Kernels of random numbers, which depend on a game's key alone, so that games may be played in any order.

The numbers of a key are those of SplitMix64 (Steele, Lea and Flood 2014), which gives the n-th without those before it.

Compiled per game by `trainer.compile.linker`.
"""

from __future__ import annotations

import math

import numpy as np

INLINED = True

STEP = np.uint64(0x9E37_79B9_7F4A_7C15)
FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x94D0_49BB_1331_11EB)
DROPPED = np.uint64(11)  # bits of 64 that don't fit into a float64


def key_of(run: np.uint64, number: int) -> np.uint64:
    """The key of a game, made from the run's key and the game's number."""
    return mixed(run ^ mixed(np.uint64(number)))


def uniform(key: np.uint64, index: int) -> float:
    """The number at `index` of a key, uniform between 0 and 1, neither of them included."""
    return (np.float64(mixed(key + STEP * np.uint64(index + 1)) >> DROPPED) + 0.5) * 2.0**-53


def exponential(key: np.uint64, index: int) -> float:
    """The same as an exponential variate: the gamma variate of shape 1."""
    return -math.log(uniform(key, index))


def gumbel(key: np.uint64, index: int) -> float:
    """The same as a Gumbel variate."""
    return -math.log(exponential(key, index))


def mixed(word: np.uint64) -> np.uint64:
    """A word whose every bit depends on all those of `word`; no two words have the same."""
    word = (word ^ (word >> np.uint64(30))) * FIRST_FACTOR
    word = (word ^ (word >> np.uint64(27))) * SECOND_FACTOR
    return word ^ (word >> np.uint64(31))
