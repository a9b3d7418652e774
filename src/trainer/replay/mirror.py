"""All rows of one game in memory, sampled by the trainer.

SQLite is the durable truth; training samples from flat arrays that are filled from the rows that were not seen before.
N rows, B batch, A actions.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ReplayError, ReplayUnavailableError
from trainer.core.files import identity_of
from trainer.replay.columns import Origin, floats_of, numbers_of, refuse
from trainer.replay.database import ROWID_SPAN, Metadata, check_columns, open_for_reading, reporting
from trainer.replay.repeats import Repeats, hashes_of

log = logging.getLogger(__name__)

READ_SLICE = 512
"""Rows of one read: so that no reader holds up a writer for long (or a checkpoint of the write-ahead log), and fewer than
the 700 objects after which Python looks for garbage among them."""
NO_FILE = (-1, -1)
"""The identity of a database that is gone."""
NAMED_BAD_ROWS = 10
"""Skipped rows that are named in the log; the others are counted."""


@dataclass(frozen=True)
class Batch:
    """Training rows, each seen by its mover. B rows, A actions."""

    observation: NDArray[np.float32]
    """[B, obs_size]"""
    legal: NDArray[np.bool_]
    """[B, A] True = may be played."""
    visits: NDArray[np.float32]
    """[B, A] sums to 1 and is zero where not legal; all zero in a row without policy target."""
    outcome: NDArray[np.float32]
    """[B] +1 mover won, 0 draw, -1 mover lost."""


@dataclass(frozen=True)
class Views:
    """K ways to look at the same row, as index tables: view k of an array is `array[table[k]]`."""

    observations: NDArray[np.int32]
    """[K, obs_size]"""
    actions: NDArray[np.int32]
    """[K, A]"""

    @classmethod
    def unchanged(cls, metadata: Metadata) -> Views:
        """One view: the row as it is."""
        return cls(
            np.arange(metadata.obs_size, dtype=np.int32)[None], np.arange(metadata.num_actions, dtype=np.int32)[None]
        )


class Replay:
    """All rows of one game in memory, sampled at random. Observations of zeros and ones are kept as bits."""

    def __init__(
        self,
        path: Path,
        metadata: Metadata,
        views: Views | None = None,
        least: int = 1,
        skip_bad_rows: bool = False,
        merge_repeats: bool = False,
    ) -> None:
        """Mirror the rows of `metadata.env_id`, seen through `views`; none are read before the first `refresh`.

        The rows of a database that was replaced stay in use until the new one has `least` rows. `skip_bad_rows`: count
        and report the rows that are not as the contract wants them instead of raising ReplayError. `merge_repeats`: see
        `sample`.
        """
        self.path = path
        self.metadata = metadata
        self.bad_rows = 0
        self._views = views or Views.unchanged(metadata)
        self._least = least
        self._skip_bad_rows = skip_bad_rows
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._trouble = ""
        self._version: int | None = None
        self._last_row = 0
        self._first = 0
        self._former = 0  # rows before this one are of a database that was replaced
        self._last_look = -math.inf
        self._length = 0
        self._seen = 0
        self._bits = True
        width = (metadata.obs_size + 7) // 8
        self._observation: NDArray[Any] = np.empty((0, width), np.uint8)
        self._rowid = np.empty(0, np.int64)
        self._visits = np.empty((0, metadata.num_actions), np.float32)
        self._outcome = np.empty(0, np.float32)
        self._value = np.empty(0, np.float32)
        self._repeats = Repeats() if merge_repeats else None
        self._hash = np.empty(0, np.uint64)  # stays empty where repeats are not counted

    def __len__(self) -> int:
        """Rows that can be sampled: those that are still in the database."""
        return self._length - self._first

    @property
    def seen(self) -> int:
        """Rows that were ever mirrored, also those that have left the database since."""
        return self._seen

    def refresh(self, every: float = 0.0) -> int:
        """Mirror the rows that were added since the last call; returns how many. Looks once in `every` seconds at most.

        Where there is no database or no table yet there are no rows. A database that can't be read for now, or is gone,
        leaves the rows as they are, with a warning. Raises ReplayError naming the first wrong row.
        """
        if time.monotonic() < self._last_look + every:
            return 0
        self._last_look = time.monotonic()
        before = self._seen
        try:
            with reporting(self.path):
                connection = self._connected()
                if connection is not None:
                    self._mirror(connection)
        except ReplayUnavailableError as error:
            self._report(f"{error}; going on with the {len(self)} rows that were read")
            self.close()
        else:
            if self._connection is not None:
                self._report("")
        return self._seen - before

    def _connected(self) -> sqlite3.Connection | None:
        """The connection to the file that has the name now; None where there is no such file, or no table in it."""
        found = identity_of(self.path)
        if self._identity is not None and found != self._identity:
            self.close()
            self._identity = NO_FILE  # also a new file whose number is the old one's is another
            if found is None:
                self._report(
                    f"the replay database {self.path} is gone; going on with the {len(self)} rows that were read"
                )
                return None
            self._begin_anew(f"the replay database {self.path} was replaced")
        if self._connection is None and found is not None:
            with ExitStack() as closed:
                connection = closed.enter_context(closing(open_for_reading(self.path)))
                if check_columns(connection, self.path):
                    self._connection, self._identity, self._version = connection, found, None
                    closed.pop_all()  # stays open
        return self._connection

    def _begin_anew(self, reason: str) -> None:
        """Read the database from its first row; what was read before stays in use until there is enough of the new."""
        log.warning(
            "%s: reading it from the start; the %d rows of before stay in use until there are %d new ones",
            *(reason, len(self), self._least),
        )
        self._last_row, self._former = 0, self._length

    def _mirror(self, connection: sqlite3.Connection) -> None:
        """Append the rows that were not seen before, leave out those that are gone."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        oldest, newest = connection.execute(ROWID_SPAN).fetchone()
        newest = newest or 0
        if newest < self._last_row:  # actors delete the oldest rows only
            self._begin_anew(f"the newest rows of {self.path} were deleted")
        while self._last_row < newest:
            rows = connection.execute(
                "SELECT rowid, observation, policy_probs, mcts_value, game_outcome FROM transitions "
                "WHERE rowid > ? AND rowid <= ? AND env_id = ? ORDER BY rowid LIMIT ?",
                (self._last_row, newest, self.metadata.env_id, READ_SLICE),
            ).fetchall()
            self._append(connection, rows)
            self._last_row = rows[-1][0] if len(rows) == READ_SLICE else newest
        self._version = version
        self._forget(oldest)

    def _report(self, trouble: str) -> None:
        """Log a trouble when it comes, and once more when it is over (the empty text)."""
        if trouble and not self._trouble:
            log.warning("%s", trouble)
        elif self._trouble and not trouble:
            log.info("the replay database %s can be read again", self.path)
        self._trouble = trouble

    def sample(
        self, generator: np.random.Generator, batch_size: int, q_weight: float = 0.0, newest: int | None = None
    ) -> Batch:
        """`batch_size` rows drawn uniformly, with replacement, each seen through a symmetry drawn uniformly.

        `newest`: draw from the newest so many rows only. With `merge_repeats` the n rows that have the same position are
        drawn as often as 1 + log2 n others, as if they were one row with the mean of their targets (AlphaZero.jl).

        The value target is (1 - q_weight) z + q_weight q, of the game's result z and the search's value q (Willemsen, Baier
        and Kaisers 2021); where q is exactly +1 or -1 the search had proven the result, and the target is q.
        """
        meta = self.metadata
        first = self._first if newest is None else max(self._first, self._length - newest)
        at = self._draw(generator, first, batch_size)
        chosen = generator.integers(0, len(self._views.actions), batch_size)
        observation = np.empty((batch_size, meta.obs_size), np.float32)
        visits = np.empty((batch_size, meta.num_actions), np.float32)
        # Rows are taken first: their waits for memory then overlap, as they don't between the work on one and the next.
        spread = spread_bits if self._bits else spread_floats
        spread(self._observation.take(at, axis=0), self._views.observations, chosen, observation)
        spread_floats(self._visits.take(at, axis=0), self._views.actions, chosen, visits)
        outcome = self._outcome[at]
        if q_weight > 0:
            value = self._value[at]
            outcome = np.where(np.abs(value) == 1, value, (1 - q_weight) * outcome + q_weight * value)
        legal = observation[:, meta.legal_mask_offset : meta.legal_mask_offset + meta.num_actions] > 0.5
        return Batch(observation=observation, legal=legal, visits=visits, outcome=outcome)

    def _draw(self, generator: np.random.Generator, first: int, batch_size: int) -> NDArray[np.int64]:
        """The numbers of `batch_size` rows from `first` on; of repeated ones as many as `sample` says."""
        if self._repeats is None:
            return generator.integers(first, self._length, batch_size)
        drawn = np.empty(0, np.int64)
        while len(drawn) < batch_size:
            offered = generator.integers(first, self._length, 4 * batch_size)
            times = self._repeats.of(self._hash[offered])
            kept = generator.random(len(offered)) * times < 1 + np.log2(times)
            drawn = np.concatenate([drawn, offered[kept]])
        return drawn[:batch_size]

    def close(self) -> None:
        """Release the file; what was mirrored stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _append(self, connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
        """Check a slice of rows and add it to the arrays; where wrong ones are skipped they are found by halves."""
        if not rows:
            return
        try:
            rowid, observation, visits, outcome, value = self._checked(connection, rows)
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
        if self._bits:
            observation = np.packbits(observation.astype(np.bool_), axis=1)
        self._rowid = put(self._rowid, self._length, rowid)
        self._observation = put(self._observation, self._length, observation)
        self._visits = put(self._visits, self._length, visits)
        self._outcome = put(self._outcome, self._length, outcome)
        self._value = put(self._value, self._length, value)
        self._length += len(rows)
        self._seen += len(rows)

    def _count_bad(self, error: ReplayError) -> None:
        """Count a row that is skipped, and report it if it is among the first."""
        self.bad_rows += 1
        if self.bad_rows <= NAMED_BAD_ROWS:
            log.warning("skipped: %s", error)
        if self.bad_rows == NAMED_BAD_ROWS:
            log.warning("further rows that are skipped are counted only, as bad_rows in the statistics")

    def _checked(self, connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> tuple[NDArray[Any], ...]:
        """Rowid, observation, visits, outcome and value of some rows. Raises ReplayError naming the first that is wrong."""
        rowids, observations, policies, values, outcomes = zip(*rows, strict=True)
        where = Origin(self.path, connection, rowids)
        meta = self.metadata
        observation = floats_of(observations, meta.obs_size, "observation", meta.env_id, where)
        has_policy = np.array([policy is not None for policy in policies])
        if not has_policy.all():
            no_target = np.zeros(meta.num_actions, np.float32).tobytes()
            policies = tuple(no_target if policy is None else policy for policy in policies)
        visits = floats_of(policies, meta.num_actions, "policy_probs", meta.env_id, where)
        outcome = numbers_of(outcomes, "game_outcome", where)
        if None in values:
            values = tuple(z if q is None else q for q, z in zip(values, outcomes, strict=True))
        value = numbers_of(values, "mcts_value", where)

        legal = observation[:, meta.legal_mask_offset : meta.legal_mask_offset + meta.num_actions] > 0.5
        refuse(~legal.any(axis=1), "its observation has no legal move", where)
        refuse((visits < 0).any(axis=1), "policy_probs has a negative entry", where)
        refuse(has_policy & (abs(visits.sum(axis=1) - 1) > 1e-3), "policy_probs does not sum to 1", where)
        refuse((visits * ~legal > 0).any(axis=1), "policy_probs gives weight to an illegal move", where)
        refuse(abs(outcome) > 1, "game_outcome is outside [-1, 1]", where)
        refuse(abs(value) > 1 + 1e-3, "mcts_value is outside [-1, 1]", where)
        return np.array(rowids), observation, visits, outcome, value

    def _forget(self, oldest: int | None) -> None:
        """Leave out the rows that are no longer in the database, but for the last few while there are no others.

        Their memory is used again when they are the half.
        """
        if oldest is None or (self._former and self._length - self._former < self._least):
            return
        first = max(self._first, self._former)
        first += int(np.searchsorted(self._rowid[first : self._length], oldest))
        first = min(first, max(self._first, self._length - self._least))
        if self._repeats is not None:
            self._repeats.remove(self._hash[self._first : first])
        self._first, self._former = first, 0
        if self._first > self._length // 2:
            kept = slice(self._first, self._length)
            for array in (self._rowid, self._observation, self._visits, self._outcome, self._value, self._hash):
                array[: len(self)] = array[kept].copy()
            self._first, self._length = 0, len(self)


@numba.njit(cache=True, nogil=True)
def spread_bits(
    packed: NDArray[np.uint8], table: NDArray[np.int32], chosen: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """out[b, i] = bit table[chosen[b], i] of packed[b]; the first bit of a byte is its highest, as in `packbits`."""
    bits = np.empty(8 * packed.shape[1], np.float32)
    for row in range(out.shape[0]):
        stored, columns = packed[row], table[chosen[row]]
        for byte in range(len(stored)):
            for bit in range(8):
                bits[8 * byte + bit] = (stored[byte] >> np.uint8(7 - bit)) & np.uint8(1)
        for i in range(len(columns)):
            out[row, i] = bits[np.uint32(columns[i])]  # unsigned: Numba then doesn't ask whether it counts from the end


@numba.njit(cache=True, nogil=True)
def spread_floats(
    values: NDArray[np.float32], table: NDArray[np.int32], chosen: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """out[b, i] = values[b, table[chosen[b], i]]"""
    for row in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[row, i] = values[row, table[chosen[row], i]]


def put(array: NDArray[Any], at: int, rows: NDArray[Any]) -> NDArray[Any]:
    """Write `rows` at row `at`; the array grows by half where it is too short. Returns the array."""
    end = at + len(rows)
    if end > len(array):
        grown = np.empty((max(end, len(array) * 3 // 2), *array.shape[1:]), array.dtype)
        grown[:at] = array[:at]
        array = grown
    array[at:end] = rows
    return array
