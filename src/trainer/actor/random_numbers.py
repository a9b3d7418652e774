"""Kernels of random numbers, which depend on a game's key alone, so that games may be played in any order.

The numbers of a key are those of SplitMix64, which gives the n-th without those before it.

Compiled by `trainer.compile.linker`, which binds `splitmix`.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np

splitmix: ModuleType

INLINED = True

DROPPED = np.uint64(11)  # bits of 64 that don't fit into a float64
LARGEST = 1 - 2.0**-53  # the largest float64 below 1


def key_of(run: np.uint64, number: int) -> np.uint64:
    """The key of a game, made from the run's key and the game's number."""
    return np.uint64(splitmix.mixed(run ^ splitmix.mixed(np.uint64(number))))


def uniform(key: np.uint64, index: int) -> float:
    """The number at `index` of a key, uniform between 0 and 1, neither of them included."""
    word = splitmix.mixed(key + splitmix.STEP * np.uint64(index + 1))
    return min(float((np.float64(word >> DROPPED) + 0.5) * 2.0**-53), LARGEST)  # the sum may be rounded up to 2^53


def exponential(key: np.uint64, index: int) -> float:
    """The same as an exponential variate: the gamma variate of shape 1."""
    return -math.log(uniform(key, index))


def gumbel(key: np.uint64, index: int) -> float:
    """The same as a Gumbel variate."""
    return -math.log(exponential(key, index))
