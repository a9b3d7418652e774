"""How often each position occurs among the rows that can be sampled. R rows, T slots of the hash table.

Positions are told apart by a 64-bit hash. Among a million positions, the chance that any two share a hash is 3 in 100
million.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

SMALLEST = 1024
"""Slots of a new table. The number of slots is always a power of two."""


class Repeats:
    """A count per position, in a hash table with open addressing that is rebuilt once half of its slots are used."""

    def __init__(self) -> None:
        self._keys: Hashes = np.zeros(SMALLEST, np.uint64)
        self._counts = np.zeros(SMALLEST, np.int32)
        self._used = 0

    def add(self, hashes: Hashes) -> None:
        """Add rows, given by the hashes of their positions [R]."""
        if 2 * (self._used + len(hashes)) > len(self._keys):
            self._rebuild(len(hashes))
        self._used += change(self._keys, self._counts, hashes, 1)

    def remove(self, hashes: Hashes) -> None:
        """Remove rows that were added before, given by the hashes of their positions [R]."""
        change(self._keys, self._counts, hashes, -1)

    def of(self, hashes: Hashes) -> NDArray[np.int32]:
        """How many rows have each of these positions, int32 [R], given the positions' hashes [R]."""
        found = np.empty(len(hashes), np.int32)
        look_up(self._keys, self._counts, hashes, found)
        return found

    def _rebuild(self, coming: int) -> None:
        """Make a table that is at most a quarter full after `coming` more positions; drop positions whose count is 0."""
        alive = self._counts > 0
        keys, counts = self._keys[alive], self._counts[alive]
        slots = max(SMALLEST, 1 << (4 * (len(keys) + coming) - 1).bit_length())
        self._keys, self._counts = np.zeros(slots, np.uint64), np.zeros(slots, np.int32)
        for times in np.unique(counts):
            change(self._keys, self._counts, keys[counts == times], times)
        self._used = len(keys)


def hashes_of(rows: NDArray[np.float32]) -> Hashes:
    """A hash of each row [R, W], uint64 [R], never 0."""
    found = np.empty(len(rows), np.uint64)
    mix(np.ascontiguousarray(rows).view(np.uint32), found)
    return found


@numba.njit(cache=True, nogil=True)
def mix(words: NDArray[np.uint32], found: Hashes) -> None:
    """found[r] = a hash of words[r]: one multiplication and one shift per word, with MurmurHash3's constants (Appleby)."""
    for row in range(len(words)):
        mixed = np.uint64(0x9E3779B97F4A7C15)
        for column in range(words.shape[1]):
            mixed = (mixed ^ np.uint64(words[row, column])) * np.uint64(0xFF51AFD7ED558CCD)
            mixed ^= mixed >> np.uint64(33)
        found[row] = max(mixed, np.uint64(1))


@numba.njit(cache=True, nogil=True)
def slot_of(keys: Hashes, key: np.uint64) -> np.int64:
    """The slot that holds a key, or the empty slot (0) where it belongs."""
    last = len(keys) - 1
    slot = np.int64(key & np.uint64(last))
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & last
    return slot


@numba.njit(cache=True, nogil=True)
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


@numba.njit(cache=True, nogil=True)
def look_up(keys: Hashes, counts: NDArray[np.int32], hashes: Hashes, found: NDArray[np.int32]) -> None:
    """found[r] = the count of hashes[r]; 0 if it was never added."""
    for row in range(len(hashes)):
        found[row] = counts[slot_of(keys, hashes[row])]
