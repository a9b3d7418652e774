"""How often each position is among the rows that can be sampled. R rows, T places of the table.

Positions are told apart by a hash of 64 bits: of a million, two share one with a chance of 3 in 100 million.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

SMALLEST = 1024
"""Places of a new table; always a power of two."""


class Repeats:
    """A count for each position, in a hash table with open addressing that is made anew when half of it is used."""

    def __init__(self) -> None:
        self._keys: Hashes = np.zeros(SMALLEST, np.uint64)
        self._counts = np.zeros(SMALLEST, np.int32)
        self._used = 0

    def add(self, hashes: Hashes) -> None:
        """Count more rows, by the hashes of their positions [R]."""
        if 2 * (self._used + len(hashes)) > len(self._keys):
            self._make_room(len(hashes))
        self._used += change(self._keys, self._counts, hashes, 1)

    def remove(self, hashes: Hashes) -> None:
        """Count rows no more that were added before, by the hashes of their positions [R]."""
        change(self._keys, self._counts, hashes, -1)

    def of(self, hashes: Hashes) -> NDArray[np.int32]:
        """How many rows have each of these positions [R], int32 [R]."""
        found = np.empty(len(hashes), np.int32)
        look_up(self._keys, self._counts, hashes, found)
        return found

    def _make_room(self, coming: int) -> None:
        """A table at most a quarter full, without the positions that no row has any more."""
        alive = self._counts > 0
        keys, counts = self._keys[alive], self._counts[alive]
        places = max(SMALLEST, 1 << (4 * (len(keys) + coming) - 1).bit_length())
        self._keys, self._counts = np.zeros(places, np.uint64), np.zeros(places, np.int32)
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
    """found[r] = a hash of words[r]: a multiplication and a shift a word, with the constants of MurmurHash3 (Appleby)."""
    for row in range(len(words)):
        mixed = np.uint64(0x9E3779B97F4A7C15)
        for column in range(words.shape[1]):
            mixed = (mixed ^ np.uint64(words[row, column])) * np.uint64(0xFF51AFD7ED558CCD)
            mixed ^= mixed >> np.uint64(33)
        found[row] = max(mixed, np.uint64(1))


@numba.njit(cache=True, nogil=True)
def place_of(keys: Hashes, key: np.uint64) -> np.int64:
    """Where a key is, or the empty place (0) where it belongs."""
    last = len(keys) - 1
    place = np.int64(key & np.uint64(last))
    while keys[place] != 0 and keys[place] != key:
        place = (place + 1) & last
    return place


@numba.njit(cache=True, nogil=True)
def change(keys: Hashes, counts: NDArray[np.int32], hashes: Hashes, by: int) -> int:
    """Add `by` to the count of each hash; returns how many of them were new."""
    new = 0
    for key in hashes:
        place = place_of(keys, key)
        if keys[place] == 0:
            keys[place] = key
            new += 1
        counts[place] += by
    return new


@numba.njit(cache=True, nogil=True)
def look_up(keys: Hashes, counts: NDArray[np.int32], hashes: Hashes, found: NDArray[np.int32]) -> None:
    """found[r] = the count of hashes[r], 0 where it was never added."""
    for row in range(len(hashes)):
        found[row] = counts[place_of(keys, hashes[row])]
