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
    """The same as an exponential variate."""
    return -math.log(uniform(key, index))


def gamma(key: np.uint64, index: int, shape: float) -> float:
    """The same as a gamma variate of this shape, which for a small shape may be rounded to 0.

    Those of shape 1 are the exponential ones. Others are drawn by rejection (Marsaglia and Tsang 2000, "A simple method for
    generating gamma variables"; a shape below 1 as in their section 8). That needs several numbers, so they are those of
    another key, which is made from the number at `index`.
    """
    if shape == 1.0:
        return exponential(key, index)
    own = splitmix.mixed(key + splitmix.STEP * np.uint64(index + 1))
    small = shape < 1.0
    d = (shape + 1.0 if small else shape) - 1.0 / 3.0
    at = 0
    while True:
        # Box and Muller's normal variate
        normal = math.sqrt(2.0 * exponential(own, at)) * math.cos(2.0 * math.pi * uniform(own, at + 1))
        v = (1.0 + normal / math.sqrt(9.0 * d)) ** 3
        if v > 0.0 and math.log(uniform(own, at + 2)) < 0.5 * normal * normal + d * (1.0 - v + math.log(v)):
            break
        at += 3
    return d * v * (uniform(own, at + 3) ** (1.0 / shape) if small else 1.0)


def gumbel(key: np.uint64, index: int) -> float:
    """The same as a Gumbel variate."""
    return -math.log(exponential(key, index))
