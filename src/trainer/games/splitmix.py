"""Kernels of SplitMix64 (Steele, Lea and Flood 2014), for random numbers and for hashes.

Its n-th number is `mixed(seed + n * STEP)`, without those before it.

Compiled by `trainer.compile.linker`, which binds it to the kernels that use it.
"""

from __future__ import annotations

import numpy as np

INLINED = True

STEP = np.uint64(0x9E37_79B9_7F4A_7C15)
FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x94D0_49BB_1331_11EB)


def mixed(word: np.uint64) -> np.uint64:
    """A word whose every bit depends on all those of `word`; no two words have the same."""
    word = (word ^ (word >> np.uint64(30))) * FIRST_FACTOR
    word = (word ^ (word >> np.uint64(27))) * SECOND_FACTOR
    return word ^ (word >> np.uint64(31))
