"""A mirror: all rows of one game in one database, kept in memory.

The SQLite database is the source of truth. The mirror follows it: it reads each new row once into flat arrays and drops the
rows that actors have deleted. N rows, R drawn rows, A actions.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ReplayError, ReplayUnavailableError
from trainer.core.files import NO_FILE, identity_of
from trainer.replay.columns import COLUMNS, checked
from trainer.replay.database import (
    ROWID_SPAN,
    Metadata,
    Snapshot,
    check_columns,
    open_for_reading,
    refuse_other_rules,
    reporting,
)
from trainer.replay.hash_table import Hashes
from trainer.replay.packing import packed_rows
from trainer.replay.repeats import Repeats, hashes_of

log = logging.getLogger(__name__)

READ_SLICE = 512
"""Rows per read. Few enough that no reader delays a writer (or a checkpoint of the write-ahead log) for long, and fewer than
the 700 new objects after which Python's garbage collector runs."""
NAMED_BAD_ROWS = 10  # the log names so many skipped rows; further ones are only counted


class Taken(NamedTuple):
    """R rows as they are kept, each from its mover's point of view."""

    observation: NDArray[Any]
    """uint8 [R, bytes], packed; or float32 [R, obs_size]"""
    visits: NDArray[np.float32]
    """[R, A], or [R, M] for the legal moves alone."""
    outcome: NDArray[np.float32]
    """[R]"""
    value: NDArray[np.float32]
    """[R] the search's value."""


class Mirror:
    """The rows of one database in memory. Observations that hold only zeros and ones are stored as bits."""

    def __init__(
        self,
        path: Path,
        metadata: Metadata,
        min_rows: int,
        skip_bad_rows: bool,
        repeats: Repeats | None,
        stamp: str | None,
    ) -> None:
        """A mirror of the rows of `metadata.env_id`. It is empty until the first `refresh`.

        `repeats`: counts the positions of these rows; None: nobody counts them. The rest is as in `ReplayBuffer`.
        """
        self.path = path
        self.metadata = metadata
        self.bad_rows = 0
        """Rows that were skipped."""
        self.seen = 0
        """Rows ever read, including those that have left the database since."""
        self._stamp = stamp
        self._min_rows = min_rows
        self._skip_bad_rows = skip_bad_rows
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._version: int | None = None  # SQLite's data_version at the last read
        self._problem = ""
        self._last_row = 0  # rowid up to which the database was read
        self._first = 0  # rows [first, length) of the arrays can be sampled
        self._length = 0
        self._replaced = 0  # rows before this one come from a database that was replaced
        self._bits = True  # observations are packed, 8 numbers per byte
        width = (metadata.obs_size + 7) // 8
        self._observation: NDArray[Any] = np.empty((0, width), np.uint8)
        self._rowid = np.empty(0, np.int64)
        self._visits = np.empty((0, metadata.packed_moves or metadata.num_actions), np.float32)
        self._outcome = np.empty(0, np.float32)
        self._value = np.empty(0, np.float32)
        self._repeats = repeats
        self._hash = np.empty(0, np.uint64)  # stays empty if repeats are not counted

    def __len__(self) -> int:
        """Rows that can be sampled: those that are still in the database."""
        return self._length - self._first

    def refresh(self) -> None:
        """Read the rows added since the last call. See `ReplayBuffer.refresh`."""
        try:
            with reporting(self.path):
                connection = self._connected()
                if connection is not None:
                    self._read(connection)
        except ReplayUnavailableError as error:
            self._report(f"{error}; going on with the {len(self)} rows that were read")
            self.close()
        else:
            if self._connection is not None:
                self._report("")

    def taken(self, at: NDArray[np.int64]) -> Taken:
        """The rows numbered `at` [R], the oldest being 0."""
        at = at + self._first
        # All rows at once, so that their cache misses overlap; a kernel would wait for one after the other.
        observation, visits = self._observation.take(at, axis=0), self._visits.take(at, axis=0)
        return Taken(observation, visits, self._outcome[at], self._value[at])

    def hashes(self, at: NDArray[np.int64]) -> Hashes:
        """The hashes of the positions of the rows numbered `at` [R], if they are counted."""
        return self._hash[at + self._first]

    def close(self) -> None:
        """Close the database. The rows in memory stay, and can be sampled."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection | None:
        """A connection to the file that now has the path; None if there is no such file, or no table in it."""
        found = identity_of(self.path)
        if isinstance(self._connection, Snapshot):
            self.close()
        if self._identity is not None and found != self._identity:
            self.close()
            self._identity = NO_FILE  # a new file is a new one even if it gets the old file's inode number
            if found is None:
                self._report(
                    f"the replay database {self.path} is gone; going on with the {len(self)} rows that were read"
                )
                return None
            self._start_over(f"the replay database {self.path} was replaced")
            self._identity = None  # said once, also if the new file has no rows yet
        if self._connection is None and found is not None:
            with ExitStack() as closed:
                connection = closed.enter_context(closing(open_for_reading(self.path)))
                refuse_other_rules(connection, self.path, self.metadata.env_id, self._stamp)
                if check_columns(connection, self.path):
                    self._connection, self._identity, self._version = connection, found, None
                    closed.pop_all()  # stays open
        return self._connection

    def _start_over(self, reason: str) -> None:
        """Read the database from its first row. The rows in memory stay in use until there are enough new ones."""
        log.warning(
            "%s: reading it from the start; the %d rows that were read stay in use until there are %d new ones",
            reason,
            len(self),
            self._min_rows,
        )
        self._last_row, self._replaced = 0, self._length

    def _read(self, connection: sqlite3.Connection) -> None:
        """Append the new rows, drop those that were deleted."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        oldest, newest = connection.execute(ROWID_SPAN).fetchone()
        newest = newest or 0
        if newest < self._last_row:  # actors only delete the oldest rows
            self._start_over(f"the newest rows of {self.path} were deleted")
        while self._last_row < newest:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM transitions WHERE rowid > ? AND rowid <= ? AND env_id = ? ORDER BY rowid LIMIT ?",
                (self._last_row, newest, self.metadata.env_id, READ_SLICE),
            ).fetchall()
            self._append(connection, rows)
            self._last_row = rows[-1][0] if len(rows) == READ_SLICE else newest
        self._version = version
        self._drop(oldest)

    def _append(self, connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
        """Check some rows and add them to the arrays. If bad rows are skipped, they are found by bisection."""
        if not rows:
            return
        try:
            rowid, observation, visits, outcome, value = checked(rows, self.metadata, self.path, connection)
        except ReplayError as error:
            if not self._skip_bad_rows:
                raise
            if len(rows) == 1:
                self._count_bad(error)
            else:
                half = len(rows) // 2
                self._append(connection, rows[:half])
                self._append(connection, rows[half:])
            return
        if self._repeats is not None:
            hashes = hashes_of(observation)
            self._repeats.add(hashes)
            self._hash = put(self._hash, self._length, hashes)
        if self._bits and not ((observation == 0) | (observation == 1)).all():
            self._bits = False
            unpacked = np.unpackbits(self._observation, axis=1, count=self.metadata.obs_size)
            self._observation = unpacked.astype(np.float32)
        packed = np.packbits(observation.astype(np.bool_), axis=1) if self._bits else observation
        self._rowid = put(self._rowid, self._length, rowid)
        self._observation = put(self._observation, self._length, packed)
        self._visits = put(self._visits, self._length, packed_rows(visits, observation, self.metadata))
        self._outcome = put(self._outcome, self._length, outcome)
        self._value = put(self._value, self._length, value)
        self._length += len(rows)
        self.seen += len(rows)

    def _count_bad(self, error: ReplayError) -> None:
        """Count a skipped row; log the first few."""
        self.bad_rows += 1
        if self.bad_rows <= NAMED_BAD_ROWS:
            log.warning("skipped: %s", error)
        if self.bad_rows == NAMED_BAD_ROWS:
            log.warning("further rows that are skipped are counted only, as bad_rows in the statistics")

    def _drop(self, oldest: int | None) -> None:
        """Drop the rows before rowid `oldest`, the first one in the database (None: it is empty).

        The last `min_rows` rows stay until there are others. Compacts the arrays once half their rows are gone.
        """
        if oldest is None or (self._replaced and self._length - self._replaced < self._min_rows):
            return
        first = max(self._first, self._replaced)
        first += int(np.searchsorted(self._rowid[first : self._length], oldest))
        first = min(first, max(self._first, self._length - self._min_rows))
        if self._repeats is not None:
            self._repeats.remove(self._hash[self._first : first])
        self._first, self._replaced = first, 0
        if self._first > self._length // 2:
            alive = slice(self._first, self._length)
            for array in (self._rowid, self._observation, self._visits, self._outcome, self._value, self._hash):
                array[: len(self)] = array[alive].copy()
            self._first, self._length = 0, len(self)

    def _report(self, problem: str) -> None:
        """Log a problem when it starts, and once more when it is over (the empty text)."""
        if problem and not self._problem:
            log.warning("%s", problem)
        elif self._problem and not problem:
            log.info("the replay database %s can be read again", self.path)
        self._problem = problem


def put(array: NDArray[Any], at: int, rows: NDArray[Any]) -> NDArray[Any]:
    """Write `rows` from row `at` on; returns the array, or a copy half as long again if it was too short."""
    end = at + len(rows)
    if end > len(array):
        grown = np.empty((max(end, len(array) * 3 // 2), *array.shape[1:]), array.dtype)
        grown[:at] = array[:at]
        array = grown
    array[at:end] = rows
    return array
