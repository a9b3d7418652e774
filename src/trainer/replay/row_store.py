"""Rows of one game, kept in memory. N rows, R drawn rows, A actions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.replay.columns import Rows
from trainer.replay.database.metadata import Metadata
from trainer.replay.hash_table import Hashes
from trainer.replay.packing import packed_observations, packed_rows, packed_width, unpacked_observations
from trainer.replay.repeats import Repeats, hashes_of


class Taken(NamedTuple):
    """R rows as they are kept. Values are for the mover; all else is absolute, as in the game."""

    observation: NDArray[Any]
    """uint8 [R, bytes], packed; or float32 [R, obs_size]"""
    policy: NDArray[np.float32]
    """[R, A], or [R, M] for the legal moves alone."""
    outcome: NDArray[np.float32]
    """[R]"""
    search_value: NDArray[np.float32]
    """[R]"""


class RowStore:
    """The rows of one database in flat arrays. Observations that hold only zeros and ones are stored as bits."""

    def __init__(self, metadata: Metadata, min_rows: int, repeats: Repeats | None) -> None:
        """No rows of `metadata.env_id` yet.

        `min_rows`: the rows that stay when their database drops them, until there are others. `repeats`: counts the
        positions of these rows; None: nobody counts them.
        """
        self.min_rows = min_rows
        """Rows that stay when their database drops them, until there are others."""
        self._metadata = metadata
        self._first = 0  # rows [first, length) of the arrays can be sampled
        self._length = 0
        self._replaced = 0  # rows before this one come from a database that was replaced
        self._bits = True  # observations are packed, 8 numbers per byte
        self._observation: NDArray[Any] = np.empty((0, packed_width(metadata.obs_size)), np.uint8)
        self._rowid = np.empty(0, np.int64)
        self._policy = np.empty((0, metadata.packed_moves or metadata.num_actions), np.float32)
        self._outcome = np.empty(0, np.float32)
        self._search_value = np.empty(0, np.float32)
        self._repeats = repeats
        self._hash = np.empty(0, np.uint64)  # stays empty if repeats are not counted

    def __len__(self) -> int:
        """Rows that can be sampled: those that are still in the database."""
        return self._length - self._first

    def taken(self, at: NDArray[np.int64]) -> Taken:
        """The rows numbered `at` [R], the oldest being 0."""
        at = at + self._first
        # All rows at once, so that their cache misses overlap; a kernel would wait for one after the other.
        observation, policy = self._observation.take(at, axis=0), self._policy.take(at, axis=0)
        return Taken(observation, policy, self._outcome[at], self._search_value[at])

    def rowids(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rowids in the database of the rows numbered `at` [R]."""
        return self._rowid[at + self._first]

    def hashes(self, at: NDArray[np.int64]) -> Hashes:
        """The hashes of the positions of the rows numbered `at` [R], if they are counted."""
        return self._hash[at + self._first]

    def append(self, rows: Rows) -> None:
        """Add rows [N] that are newer than all others."""
        rowid, observation, policy, outcome, search_value = rows
        if self._repeats is not None:
            hashes = hashes_of(observation)
            self._repeats.add(hashes)
            self._hash = put(self._hash, self._length, hashes)
        if self._bits and not ((observation == 0) | (observation == 1)).all():
            self._bits = False
            self._observation = unpacked_observations(self._observation, self._metadata.obs_size)
        packed = packed_observations(observation) if self._bits else observation
        self._rowid = put(self._rowid, self._length, rowid)
        self._observation = put(self._observation, self._length, packed)
        self._policy = put(self._policy, self._length, packed_rows(policy, observation, self._metadata))
        self._outcome = put(self._outcome, self._length, outcome)
        self._search_value = put(self._search_value, self._length, search_value)
        self._length += len(rowid)

    def start_over(self) -> None:
        """The rows that are appended from now on replace those that are here, once there are `min_rows` of them."""
        self._replaced = self._length

    def drop_before(self, oldest: int) -> None:
        """Drop the rows before rowid `oldest`, the first one that is still in the database.

        The last `min_rows` rows stay until there are others. Compacts the arrays once half their rows are gone.
        """
        if self._replaced and self._length - self._replaced < self.min_rows:
            return
        first = max(self._first, self._replaced)
        first += int(np.searchsorted(self._rowid[first : self._length], oldest))
        first = min(first, max(self._first, self._length - self.min_rows))
        if self._repeats is not None:
            self._repeats.remove(self._hash[self._first : first])
        self._first, self._replaced = first, 0
        if self._first > self._length // 2:
            alive = slice(self._first, self._length)
            numbers = (self._policy, self._outcome, self._search_value)
            for array in (self._rowid, self._observation, *numbers, self._hash):
                array[: len(self)] = array[alive].copy()
            self._first, self._length = 0, len(self)


def put(array: NDArray[Any], at: int, rows: NDArray[Any]) -> NDArray[Any]:
    """Write `rows` from row `at` on; returns the array, or a copy half as long again if it was too short."""
    end = at + len(rows)
    if end > len(array):
        grown = np.empty((max(end, len(array) * 3 // 2), *array.shape[1:]), array.dtype)
        grown[:at] = array[:at]
        array = grown
    array[at:end] = rows
    return array
