"""How often each position occurs among the rows that can be sampled. R rows, T slots of the hash table.

Positions are told apart by a 64-bit hash. Among a million positions, the chance that any two share a hash is 3 in 100
million.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.replay.hash_table import Hashes
from trainer.replay.kernels import table_kernels

SMALLEST = 1024
"""Slots of a new table. The number of slots is always a power of two."""


class Repeats:
    """A count per position, in a hash table with open addressing that is rebuilt once half of its slots are used."""

    def __init__(self) -> None:
        self._keys: Hashes = np.zeros(SMALLEST, np.uint64)
        self._counts = np.zeros(SMALLEST, np.int32)
        self._used = 0
        self._kernels = table_kernels().hash_table

    def add(self, hashes: Hashes) -> None:
        """Add rows, given by the hashes of their positions [R]."""
        if 2 * (self._used + len(hashes)) > len(self._keys):
            self._rebuild(len(hashes))
        self._used += self._kernels.change(self._keys, self._counts, hashes, 1)

    def remove(self, hashes: Hashes) -> None:
        """Remove rows that were added before, given by the hashes of their positions [R]."""
        self._kernels.change(self._keys, self._counts, hashes, -1)

    def of(self, hashes: Hashes) -> NDArray[np.int32]:
        """How many rows have each of these positions, int32 [R], given the positions' hashes [R]."""
        found = np.empty(len(hashes), np.int32)
        self._kernels.look_up(self._keys, self._counts, hashes, found)
        return found

    def _rebuild(self, coming: int) -> None:
        """Make a table that is at most a quarter full after `coming` more positions; drop positions whose count is 0."""
        alive = self._counts > 0
        keys, counts = self._keys[alive], self._counts[alive]
        slots = max(SMALLEST, 1 << (4 * (len(keys) + coming) - 1).bit_length())
        self._keys, self._counts = np.zeros(slots, np.uint64), np.zeros(slots, np.int32)
        for times in np.unique(counts):
            self._kernels.change(self._keys, self._counts, keys[counts == times], int(times))
        self._used = len(keys)


def hashes_of(rows: NDArray[np.float32]) -> Hashes:
    """A hash of each row [R, W], uint64 [R], never 0."""
    found = np.empty(len(rows), np.uint64)
    table_kernels().hash_table.mix(np.ascontiguousarray(rows).view(np.uint32), found)
    return found
