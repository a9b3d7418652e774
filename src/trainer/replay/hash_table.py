"""Kernels of a hash table that counts positions: open addressing, a power of two of slots. R rows, T slots.

Compiled by `kernels.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def mix(words: NDArray[np.uint32], found: Hashes) -> None:
    """found[r] = a hash of words[r]: one multiplication and one shift per word, with MurmurHash3's constants (Appleby)."""
    for row in range(len(words)):
        mixed = np.uint64(0x9E3779B97F4A7C15)
        for column in range(words.shape[1]):
            mixed = (mixed ^ np.uint64(words[row, column])) * np.uint64(0xFF51AFD7ED558CCD)
            mixed ^= mixed >> np.uint64(33)
        found[row] = max(mixed, np.uint64(1))


def slot_of(keys: Hashes, key: np.uint64) -> np.int64:
    """The slot that holds a key, or the empty slot (0) where it belongs."""
    last = len(keys) - 1
    slot = np.int64(key & np.uint64(last))
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & last
    return slot


def change(keys: Hashes, counts: NDArray[np.int32], hashes: Hashes, by: int) -> int:
    """Add `by` to the count of each hash; returns how many hashes were new."""
    new = 0
    for key in hashes:
        slot = slot_of(keys, key)
        if keys[slot] == 0:
            keys[slot] = key
            new += 1
        counts[slot] += by
    return new


def look_up(keys: Hashes, counts: NDArray[np.int32], hashes: Hashes, found: NDArray[np.int32]) -> None:
    """found[r] = the count of hashes[r]; 0 if it was never added."""
    for row in range(len(hashes)):
        found[row] = counts[slot_of(keys, hashes[row])]
