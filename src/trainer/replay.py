"""Stored games: written to SQLite by actors, mirrored in memory and sampled by the trainer.

SQLite is the durable truth; training samples from flat arrays that hold every row of one game, filled from the rows that
were not seen before. N rows, B batch, A actions, P plies.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from trainer.errors import ReplayError, ReplayUnavailableError
from trainer.files import identity_of, locked

log = logging.getLogger(__name__)

SCHEMA = files("trainer").joinpath("replay.sql").read_text()
BUSY_SECONDS = 60.0
"""How long to wait for another process's write to end."""
READ_SLICE = 4096
"""Rows of one read, so that no reader holds up a writer for long (or a checkpoint of the write-ahead log)."""
METADATA_COLUMNS = (
    *("env_id", "display_name", "board_width", "board_height"),
    *("num_actions", "obs_size", "legal_mask_offset", "player_count"),
)
ROWID_SPAN = "SELECT (SELECT min(rowid) FROM transitions), (SELECT max(rowid) FROM transitions)"
"""Two look-ups; asked for both at once SQLite reads the whole table."""
PRUNE_SLICE = 1000
"""Rows of one deletion, so that no writer holds up another for long."""
LOG_LIMIT = 16 * 2**20
"""Bytes of the write-ahead log after which the writer empties it, instead of waiting for a moment without readers."""
LOG_PATIENCE = 1.0
"""Seconds that emptying it may wait for readers; other writers wait meanwhile."""
LOG_EVERY = 10.0
"""Seconds between two attempts to empty it."""
PASSING = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL),
}
"""SQLite's error codes for what may pass by itself: another writer, a full disk, a folder that can't be written."""
LARGEST_COUNT = 65_536
"""The largest dimension of a game; a larger one is a damaged file, and would fill the memory."""
NO_FILE = (-1, -1)
"""The identity of a database that is gone."""
NAMED_BAD_ROWS = 10
"""Skipped rows that are named in the log; the others are counted."""
OPTIONAL_COLUMNS = {"created_at"}
"""Columns of the contract that nobody here reads or writes."""


@dataclass(frozen=True)
class Metadata:
    """A row of `game_metadata`: the dimensions of a game."""

    env_id: str
    display_name: str
    board_width: int
    board_height: int
    num_actions: int
    obs_size: int
    legal_mask_offset: int
    player_count: int = 2


@dataclass(frozen=True)
class Episode:
    """One finished game, its last P plies."""

    env_id: str
    episode_id: str
    states: NDArray[np.uint8]
    """[P + 1, state bytes], the last one finished."""
    observations: NDArray[np.float32]
    """[P + 1, obs_size]"""
    actions: NDArray[np.uint32]
    """[P]"""
    visits: NDArray[np.float32]
    """[P, A], sums to 1 in each row that has a policy target."""
    has_policy: NDArray[np.bool_]
    """[P]"""
    values: NDArray[np.float32]
    """[P] value of the search for the mover."""
    outcomes: NDArray[np.float32]
    """[P] +1 the mover won the game, 0 draw, -1 lost."""
    first_ply: int = 0
    """Plies before those recorded here."""

    def __len__(self) -> int:
        return len(self.actions)


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


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a ReplayError that names the file: a ReplayUnavailableError where the cause may pass."""
    try:
        yield
    except sqlite3.Error as error:
        passing = getattr(error, "sqlite_errorcode", -1) & 0xFF in PASSING
        kind = ReplayUnavailableError if passing else ReplayError
        reason = " ".join(str(error).split())[:200]  # SQLite quotes what it can't parse
        raise kind(f"the replay database {path} can't be used: {reason}") from error
    except UnicodeDecodeError as error:  # sqlite3 can't even say what is wrong
        raise ReplayError(f"the replay database {path} can't be used: its names are no text") from error
    except OSError as error:
        raise ReplayUnavailableError(f"the replay database {path} can't be used: {error.strerror}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of the block's writes, or none; other writers wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back after some errors
            connection.execute("ROLLBACK")
        raise


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can't write and doesn't make the file. Raises ReplayError where there is no database."""
    if not path.is_file():
        raise ReplayError(f"there is no replay database at {path}; start an actor, or give its path with --db")
    with reporting(path):
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.text_factory = lambda text: text.decode(errors="replace")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """The columns of a table, in order; none where there is no such table."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def check_columns(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is a `transitions` table yet; raises ReplayError naming each column of the contract that it lacks."""
    found = columns_of(connection, "transitions")
    if not found:
        return False
    with sqlite3.connect(":memory:") as model:
        model.executescript(SCHEMA)
        expected = columns_of(model, "transitions")
    if missing := [name for name in expected if name not in found and name not in OPTIONAL_COLUMNS]:
        raise ReplayError(
            f"the table transitions of {path} lacks {', '.join(missing)}; "
            f"it was written by another program, or is too old to be used"
        )
    return True


def read_metadata(path: Path, env_id: str) -> Metadata | None:
    """The dimensions that the database states for a game; None where it states none or there is no file."""
    if not path.exists():
        return None
    connection = open_for_reading(path)
    try:
        with reporting(path):
            found = columns_of(connection, "game_metadata")
            if not found:
                return None
            if missing := [name for name in METADATA_COLUMNS if name not in found]:
                raise ReplayError(f"the table game_metadata of {path} lacks {', '.join(missing)}")
            query = f"SELECT {', '.join(METADATA_COLUMNS)} FROM game_metadata WHERE env_id = ?"
            row = connection.execute(query, (env_id,)).fetchone()
    finally:
        connection.close()
    if row is None:
        return None
    for name, value in zip(METADATA_COLUMNS[2:], row[2:], strict=True):
        if not isinstance(value, int) or not (0 if name == "legal_mask_offset" else 1) <= value <= LARGEST_COUNT:
            raise ReplayError(
                f"game_metadata of {path} states {name} = {shortened(value)} for {env_id}; "
                f"a count up to {LARGEST_COUNT} is needed"
            )
    return Metadata(*row)


class ReplayWriter:
    """Appends whole games to a replay database, which is made if it isn't there."""

    def __init__(self, path: Path, metadata: Metadata, window: int | None = None) -> None:
        """Open the database for writing and state the game's dimensions in it.

        About the newest `window` positions stay in the file, by whole games; None: all of them.
        """
        self.path = path
        self._metadata = metadata
        self._window = window
        self._next_emptying = 0.0
        self._open()

    def write(self, episodes: Sequence[Episode]) -> None:
        """Store the games in one transaction: all of them are there when it returns, or none.

        Where the file was deleted or replaced since the last call they go into the one that has its name now.
        """
        rows = [row for episode in episodes for row in rows_of(episode)]
        with reporting(self.path):
            stored = False
            while not stored:
                if self._identity is None or identity_of(self.path) != self._identity:
                    if self._identity is not None:
                        log.warning("the replay database %s was deleted or replaced: going on in a new file", self.path)
                    self.close()
                    self._open()
                with transaction(self._connection) as connection:
                    connection.executemany(
                        "INSERT INTO transitions (id, env_id, episode_id, step_number, state, action, next_state, "
                        "observation, next_observation, reward, done, timestamp, policy_probs, mcts_value, game_outcome) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        rows,
                    )
                stored = identity_of(self.path) == self._identity
        try:
            with reporting(self.path):
                self._empty_log()
                self._prune()
        except ReplayUnavailableError as error:  # the games are stored, and the next call tidies up
            log.debug("%s", error)

    def _open(self) -> None:
        """Open the file, or make it, one process at a time, with its tables and the game's dimensions."""
        with reporting(self.path), locked(self.path):
            if not self.path.exists():  # what a deleted database left would be taken for the new one's
                for suffix in ("-wal", "-shm", "-journal"):
                    self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._identity = identity_of(self.path)
            try:
                self._prefer_write_ahead_log()
                check_columns(self._connection, self.path)
                self._connection.executescript(f"BEGIN IMMEDIATE;\n{SCHEMA}\nCOMMIT;")
                with transaction(self._connection) as connection:
                    connection.execute(
                        f"INSERT OR REPLACE INTO game_metadata ({', '.join(METADATA_COLUMNS)}) "
                        f"VALUES ({', '.join('?' * len(METADATA_COLUMNS))})",
                        tuple(getattr(self._metadata, name) for name in METADATA_COLUMNS),
                    )
            except BaseException:
                self.close()
                self._identity = None  # the next write opens it again
                raise

    def _prune(self) -> None:
        """Delete the oldest games, a slice at a time, while the file holds more than the window.

        Rowids are handed out in order, so their span is the number of rows, and the file reuses the pages of deleted ones.
        """
        if self._window is None:
            return
        while True:
            oldest, newest = self._connection.execute(ROWID_SPAN).fetchone()
            excess = 0 if oldest is None else newest - oldest + 1 - self._window
            if excess <= 0:
                return
            with transaction(self._connection) as connection:
                connection.execute(
                    "DELETE FROM transitions WHERE episode_id IN "
                    "(SELECT episode_id FROM transitions WHERE rowid BETWEEN ? AND ?)",
                    (oldest, oldest + min(excess, PRUNE_SLICE) - 1),
                )

    def _empty_log(self) -> None:
        """Move a long write-ahead log into the database; a reader that stays long puts it off, for writers would wait."""
        written = self.path.with_name(self.path.name + "-wal")
        if time.monotonic() < self._next_emptying or not written.exists() or written.stat().st_size <= LOG_LIMIT:
            return
        self._next_emptying = time.monotonic() + LOG_EVERY
        self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * LOG_PATIENCE)}")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")

    def last_episode(self, prefix: str) -> str | None:
        """The largest episode id that starts with `prefix`."""
        with reporting(self.path):
            query = "SELECT max(episode_id) FROM transitions WHERE episode_id >= ? AND episode_id < ?"
            row = self._connection.execute(query, (prefix, prefix + "\U0010ffff")).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _prefer_write_ahead_log(self) -> None:
        """Readers and writers then don't wait for each other; another process that is busy may keep the old mode."""
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        self._connection.execute("PRAGMA synchronous = NORMAL")


def rows_of(episode: Episode) -> Iterator[tuple[Any, ...]]:
    """The rows of a game in the order of the insert statement."""
    plies = len(episode)
    numbers = range(episode.first_ply, episode.first_ply + plies)
    states, observations = blobs(episode.states, "u1"), blobs(episode.observations, "<f4")
    policies = [
        policy if has else None for policy, has in zip(blobs(episode.visits, "<f4"), episode.has_policy, strict=True)
    ]
    last = plies - 1
    outcomes = episode.outcomes.tolist()
    now = int(time.time())
    return zip(
        [f"{episode.episode_id}-step-{ply}" for ply in numbers],
        [episode.env_id] * plies,
        [episode.episode_id] * plies,
        numbers,
        states[:-1],
        blobs(episode.actions[:, None], "<u4"),
        states[1:],
        observations[:-1],
        observations[1:],
        [0.0] * last + [outcomes[last]],
        [0] * last + [1],
        [now] * plies,
        policies,
        episode.values.tolist(),
        outcomes,
        strict=True,
    )


def blobs(rows: NDArray[Any], kind: str) -> list[bytes]:
    """The bytes of each row of [N, K] as numbers of a little-endian kind ("<f4", "<u4", "u1")."""
    stored = np.ascontiguousarray(rows, kind)
    width = stored.dtype.itemsize * stored.shape[1]
    return stored.view(np.dtype((np.void, width)))[:, 0].tolist()  # type: ignore[no-any-return]


class Replay:
    """All rows of one game in memory, sampled uniformly. Observations of zeros and ones are kept as bits."""

    def __init__(
        self,
        path: Path,
        metadata: Metadata,
        views: Views | None = None,
        least: int = 1,
        skip_bad_rows: bool = False,
    ) -> None:
        """Mirror the rows of `metadata.env_id`, seen through `views`; none are read before the first `refresh`.

        The rows of a database that was replaced stay in use until the new one has `least` rows. `skip_bad_rows`: count
        and report the rows that are not as the contract wants them instead of raising ReplayError.
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
            connection = open_for_reading(self.path)
            if check_columns(connection, self.path):
                self._connection, self._identity, self._version = connection, found, None
            else:
                connection.close()
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
                "SELECT rowid, id, observation, policy_probs, mcts_value, game_outcome FROM transitions "
                "WHERE rowid > ? AND rowid <= ? AND env_id = ? ORDER BY rowid LIMIT ?",
                (self._last_row, newest, self.metadata.env_id, READ_SLICE),
            ).fetchall()
            self._append(self._good(rows) if self._skip_bad_rows else rows)
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

        `newest`: draw from the newest so many rows only.

        The value target is (1 - q_weight) z + q_weight q, of the game's result z and the search's value q (Willemsen, Baier
        and Kaisers 2021); where q is exactly +1 or -1 the search had proven the result, and the target is q.
        """
        meta = self.metadata
        first = self._first if newest is None else max(self._first, self._length - newest)
        at = generator.integers(first, self._length, batch_size)
        chosen = generator.integers(0, len(self._views.actions), batch_size)
        observation = np.empty((batch_size, meta.obs_size), np.float32)
        visits = np.empty((batch_size, meta.num_actions), np.float32)
        gather = gather_bits if self._bits else gather_floats
        gather(self._observation, at, self._views.observations, chosen, observation)
        gather_floats(self._visits, at, self._views.actions, chosen, visits)
        outcome = self._outcome[at]
        if q_weight > 0:
            value = self._value[at]
            outcome = np.where(np.abs(value) == 1, value, (1 - q_weight) * outcome + q_weight * value)
        legal = observation[:, meta.legal_mask_offset : meta.legal_mask_offset + meta.num_actions] > 0.5
        return Batch(observation=observation, legal=legal, visits=visits, outcome=outcome)

    def close(self) -> None:
        """Release the file; what was mirrored stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _good(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows that are as the contract wants them; the others are counted and reported."""
        try:
            self._checked(rows)
        except ReplayError as error:
            if len(rows) > 1:
                half = len(rows) // 2
                return self._good(rows[:half]) + self._good(rows[half:])
            self.bad_rows += 1
            if self.bad_rows <= NAMED_BAD_ROWS:
                log.warning("skipped: %s", error)
            if self.bad_rows == NAMED_BAD_ROWS:
                log.warning("further rows that are skipped are counted only, as bad_rows in the statistics")
            return []
        return rows

    def _append(self, rows: list[tuple[Any, ...]]) -> None:
        """Check a slice of rows and add it to the arrays."""
        if not rows:
            return
        rowid = np.array([row[0] for row in rows], np.int64)
        observation, visits, outcome, value = self._checked(rows)
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

    def _checked(self, rows: list[tuple[Any, ...]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Observation, visits, outcome and value of some rows. Raises ReplayError naming the first that is wrong."""
        where = self.path, [row[1] for row in rows]
        meta = self.metadata
        observation = floats_of([row[2] for row in rows], meta.obs_size, "observation", meta.env_id, *where)
        has_policy = np.array([row[3] is not None for row in rows])
        uniform_row = np.zeros(meta.num_actions, np.float32).tobytes()
        policies = [uniform_row if row[3] is None else row[3] for row in rows]
        visits = floats_of(policies, meta.num_actions, "policy_probs", meta.env_id, *where)
        outcome = numbers_of([row[5] for row in rows], "game_outcome", *where)
        value = numbers_of(
            [outcome[i] if row[4] is None else row[4] for i, row in enumerate(rows)], "mcts_value", *where
        )

        legal = observation[:, meta.legal_mask_offset : meta.legal_mask_offset + meta.num_actions] > 0.5
        refuse(~legal.any(axis=1), "its observation has no legal move", *where)
        refuse((visits < 0).any(axis=1), "policy_probs has a negative entry", *where)
        refuse(has_policy & (abs(visits.sum(axis=1) - 1) > 1e-3), "policy_probs does not sum to 1", *where)
        refuse((visits * ~legal > 0).any(axis=1), "policy_probs gives weight to an illegal move", *where)
        refuse(abs(outcome) > 1, "game_outcome is outside [-1, 1]", *where)
        return observation, visits, outcome, value

    def _forget(self, oldest: int | None) -> None:
        """Leave out the rows that are no longer in the database; their memory is used again when they are the half."""
        if oldest is None or (self._former and self._length - self._former < self._least):
            return
        self._first, self._former = max(self._first, self._former), 0
        self._first += int(np.searchsorted(self._rowid[self._first : self._length], oldest))
        if self._first > self._length // 2:
            kept = slice(self._first, self._length)
            for array in (self._rowid, self._observation, self._visits, self._outcome, self._value):
                array[: len(self)] = array[kept].copy()
            self._first, self._length = 0, len(self)


@numba.njit(cache=True, nogil=True)
def gather_bits(
    packed: NDArray[np.uint8],
    at: NDArray[np.int64],
    table: NDArray[np.int32],
    chosen: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """out[b, i] = bit table[chosen[b], i] of packed[at[b]]; the first bit of a byte is its highest, as in `packbits`."""
    bits = np.empty(8 * packed.shape[1], np.float32)
    for row in range(out.shape[0]):
        stored, columns = packed[at[row]], table[chosen[row]]
        for byte in range(len(stored)):
            for bit in range(8):
                bits[8 * byte + bit] = (stored[byte] >> np.uint8(7 - bit)) & np.uint8(1)
        for i in range(len(columns)):
            out[row, i] = bits[np.uint32(columns[i])]  # unsigned: Numba then doesn't ask whether it counts from the end


@numba.njit(cache=True, nogil=True)
def gather_floats(
    values: NDArray[np.float32],
    at: NDArray[np.int64],
    table: NDArray[np.int32],
    chosen: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """out[b, i] = values[at[b], table[chosen[b], i]]"""
    for row in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[row, i] = values[at[row], table[chosen[row], i]]


def shortened(value: Any) -> str:
    """A value for an error message, at most 60 characters of it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def put(array: NDArray[Any], at: int, rows: NDArray[Any]) -> NDArray[Any]:
    """Write `rows` at row `at`; the array grows by half where it is too short. Returns the array."""
    end = at + len(rows)
    if end > len(array):
        grown = np.empty((max(end, len(array) * 3 // 2), *array.shape[1:]), array.dtype)
        grown[:at] = array[:at]
        array = grown
    array[at:end] = rows
    return array


def floats_of(
    stored: list[Any], width: int, column: str, env_id: str, path: Path, ids: list[str]
) -> NDArray[np.float32]:
    """float32 [N, width] of a column of blobs. Raises ReplayError naming the first row that has another length or NaN."""
    for row, blob in zip(ids, stored, strict=True):
        if not isinstance(blob, bytes) or len(blob) != 4 * width:
            found = f"{len(blob) / 4:g} entries" if isinstance(blob, bytes) else f"the value {shortened(blob)}"
            raise ReplayError(
                f"row {row} of {path}: {column} has {found}, {env_id} needs {width}; was it written for "
                f"another game? (--skip-bad-rows passes over such rows)"
            )
    values = np.frombuffer(b"".join(stored), "<f4").reshape(len(stored), width)
    refuse(~np.isfinite(values).all(axis=1), f"{column} holds NaN or infinity", path, ids)
    return values


def numbers_of(stored: Sequence[Any], column: str, path: Path, ids: list[str]) -> NDArray[np.float32]:
    """float32 [N] of a column of numbers. Raises ReplayError naming the first row without one."""
    refuse(
        np.array([not isinstance(number, int | float | np.floating) for number in stored]),
        f"{column} holds no number",
        path,
        ids,
    )
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinity, which is refused
        values = np.array(stored, np.float32)
    refuse(~np.isfinite(values), f"{column} holds NaN or infinity", path, ids)
    return values


def refuse(wrong: Any, reason: str, path: Path, ids: Iterable[str]) -> None:
    """Raise ReplayError for the first row that is wrong (bool [N])."""
    if np.any(wrong):
        row = list(ids)[int(np.argmax(wrong))]
        raise ReplayError(
            f"row {row} of {path}: {reason}; delete the row, pass over it with --skip-bad-rows, or find out what wrote it"
        )
