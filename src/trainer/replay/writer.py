"""Finished games, which actors write whole. P plies, A actions."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ReplayError, ReplayUnavailableError
from trainer.core.files import identity_of
from trainer.core.locks import locked
from trainer.replay import database
from trainer.replay.database import (
    METADATA_COLUMNS,
    ROWID_SPAN,
    SCHEMA,
    Metadata,
    StoredRules,
    check_columns,
    refuse_other_rules,
    reporting,
    transaction,
)
from trainer.replay.packing import packed_observations, packed_rows

log = logging.getLogger(__name__)

INSERT = files("trainer.replay").joinpath("insert.sql").read_text()
LAYOUTS = files("trainer.replay").joinpath("layouts.sql").read_text()
SHIPMENTS = files("trainer.replay").joinpath("shipments.sql").read_text()
GAMES_AT_ONCE = 256
"""Games per INSERT statement, which holds a copy of their arrays."""
PRUNE_SLICE = 1000
"""Rows deleted at a time; few enough that no writer delays another for long."""
PRUNE_SLICES = 10
"""A write deletes at most this many slices, and twice as many rows as it added. So a file with millions of rows too many
shrinks over many writes. Between them an actor can stop."""
PAGE_SIZE = 16_384
"""Bytes per page of a new file. An Othello row would take a whole page of SQLite's default 4,096 bytes and leave half of it
empty."""
LOG_LIMIT = 32 * 2**20
"""Bytes of the write-ahead log above which the writer empties it, instead of waiting for a moment without readers."""
LOG_PATIENCE = 1.0
"""Seconds that emptying the log may wait for readers. Other writers wait meanwhile."""
LOG_EVERY = 10.0
"""Seconds between two attempts to empty the log."""
MARK = "INSERT OR REPLACE INTO shipments (sender, last) VALUES (?, ?)"


@dataclass(frozen=True)
class Episode:
    """The last P plies of a finished game."""

    env_id: str
    episode_id: str
    states: NDArray[np.uint8]
    """[P + 1, state bytes]; the last one is the final position."""
    observations: NDArray[np.float32]
    """[P + 1, obs_size]"""
    actions: NDArray[np.uint32]
    """[P]"""
    visits: NDArray[np.float32]
    """[P, A] sums to 1 in each row that has a policy target."""
    has_policy: NDArray[np.bool_]
    """[P] the row has a policy target."""
    values: NDArray[np.float32]
    """[P] the search's value for the mover; NaN: there is none, and NULL is stored."""
    outcomes: NDArray[np.float32]
    """[P] +1 the mover won the game, 0 draw, -1 the mover lost."""
    first_ply: int = 0
    """Plies played before those recorded here."""

    def __len__(self) -> int:
        return len(self.actions)


class ReplayWriter:
    """Appends whole games to a replay database, which it creates if there is none."""

    def __init__(
        self,
        path: Path,
        metadata: Metadata,
        window: int | None = None,
        rules: StoredRules | None = None,
        shipments: bool = False,
    ) -> None:
        """Open the database for writing and store the game's dimensions in it.

        The file keeps about the newest `window` positions, as whole games; None: all of them. `rules`: what it keeps of the
        game's rules; None for a game of the contract. `shipments`: the games come in numbered shipments, and the file keeps
        which of them it has.
        """
        self.path = path
        self._metadata = metadata
        self._window = window
        self._rules = rules
        self._tables = SCHEMA + SHIPMENTS if shipments else SCHEMA
        self._next_emptying = 0.0
        self._identity: tuple[int, int] | None = None
        self._open()

    def write(self, episodes: Sequence[Episode], marks: Mapping[str, int] | None = None) -> None:
        """Store the games in one transaction: either all of them or none.

        `marks` has the number of the last shipment of each sender whose games these are, for the same transaction.
        If the file was deleted or replaced since the last call, all goes into the file that now has its path.
        """
        firsts = range(0, len(episodes), GAMES_AT_ONCE)
        parts = [arrays_of(episodes[first : first + GAMES_AT_ONCE], self._metadata) for first in firsts]
        with reporting(self.path):
            stored = False
            while not stored:
                self._follow()
                with transaction(self._connection) as connection:
                    for part in parts:
                        connection.execute(INSERT, part)
                    if marks:
                        connection.executemany(MARK, marks.items())
                stored = identity_of(self.path) == self._identity
        try:
            with reporting(self.path):
                self._empty_log()
                self._prune(sum(map(len, episodes)))
        except ReplayUnavailableError as error:  # the games are stored; the next call cleans up
            log.debug("%s", error)

    def _follow(self) -> None:
        """Open the file that now has the path, unless it is open already."""
        if self._identity is None or identity_of(self.path) != self._identity:
            if self._identity is not None:
                log.warning("the replay database %s was deleted or replaced: going on in a new file", self.path)
            self.close()
            self._identity = None  # if it can't be opened now, also a file that comes back is opened again
            self._open()

    def _open(self) -> None:
        """Open or create the file, with its tables and the game's dimensions, one process at a time."""
        with reporting(self.path), locked(self.path):
            if not self.path.exists():  # SQLite would take a deleted database's leftover files for the new one's
                for suffix in ("-wal", "-shm", "-journal"):
                    database.beside(self.path, suffix).unlink(missing_ok=True)
            self._connection = sqlite3.connect(
                self.path.absolute(),  # so that SQLite takes no name for a command, such as :memory: or file:x.db
                timeout=database.BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._identity = identity_of(self.path)
            self._passed = 0  # below this rowid there are only rows of other games
            try:
                self._connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # has no effect if there are tables
                self._prefer_write_ahead_log()
                check_columns(self._connection, self.path)
                self._connection.executescript(f"BEGIN IMMEDIATE;\n{self._tables}\nCOMMIT;")
                if self._window is not None:
                    refuse_other_games(self._connection, self.path, self._metadata.env_id)
                with transaction(self._connection) as connection:
                    connection.execute(
                        f"INSERT OR REPLACE INTO game_metadata ({', '.join(METADATA_COLUMNS)}) "
                        f"VALUES ({', '.join('?' * len(METADATA_COLUMNS))})",
                        tuple(getattr(self._metadata, name) for name in METADATA_COLUMNS),
                    )
                    if self._rules:
                        connection.execute(LAYOUTS)
                        refuse_other_rules(connection, self.path, self._metadata.env_id, self._rules.stamp)
                        row = (self._metadata.env_id, *self._rules)
                        connection.execute("INSERT OR REPLACE INTO game_layouts VALUES (?, ?, ?)", row)
            except BaseException:
                self.close()
                self._identity = None  # the next write opens it again
                raise

    def _prune(self, written: int) -> None:
        """Delete the oldest games before the newest `window` rows, a slice at a time; never the newest, nor another game's.

        It ends after PRUNE_SLICES and twice the rows just `written`; the next write goes on. Rowids are assigned in order,
        so their span is the number of rows. The file reuses the pages of deleted rows.
        """
        if self._window is None:
            return
        for _ in range(PRUNE_SLICES + 2 * written // PRUNE_SLICE):
            oldest, newest = (found or 0 for found in self._connection.execute(ROWID_SPAN).fetchone())
            if newest < self._passed:  # all rows were deleted, and the next ones numbered anew
                self._passed = 0
            first = max(oldest, self._passed)
            last = min(first + PRUNE_SLICE - 1, newest - self._window)
            if last < first:
                return
            with transaction(self._connection) as connection:
                deleted = connection.execute(
                    "DELETE FROM transitions WHERE episode_id IN "
                    "(SELECT episode_id FROM transitions WHERE rowid BETWEEN ? AND ? AND env_id = ?) "
                    "AND episode_id != (SELECT episode_id FROM transitions WHERE rowid = ?)",
                    (first, last, self._metadata.env_id, newest),
                )
            if not deleted.rowcount:
                self._passed = last + 1

    def _empty_log(self) -> None:
        """Move a long write-ahead log into the database. Gives up if a reader is in the way: other writers wait."""
        ahead = database.beside(self.path, "-wal")
        if time.monotonic() < self._next_emptying or not ahead.exists() or ahead.stat().st_size <= LOG_LIMIT:
            return
        self._next_emptying = time.monotonic() + LOG_EVERY
        self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * LOG_PATIENCE)}")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * database.BUSY_SECONDS)}")

    def last_episode(self, prefix: str) -> str | None:
        """The largest episode id that starts with `prefix` and a digit; None if there is none."""
        with reporting(self.path):
            self._follow()
            query = "SELECT max(episode_id) FROM transitions WHERE episode_id >= ? AND episode_id < ?"
            row = self._connection.execute(query, (prefix + "0", prefix + ":")).fetchone()
        return None if row is None else row[0]

    def last_shipment(self, sender: str) -> int | None:
        """The number of the last shipment of a sender that was stored in this file; None if there is none."""
        with reporting(self.path):
            self._follow()
            row = self._connection.execute("SELECT last FROM shipments WHERE sender = ?", (sender,)).fetchone()
        return None if row is None else int(row[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prefer_write_ahead_log(self) -> None:
        """Use write-ahead logging, so readers and writers don't wait for each other, unless another process prevents it."""
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        self._connection.execute("PRAGMA synchronous = NORMAL")


def arrays_of(episodes: Sequence[Episode], metadata: Metadata) -> dict[str, Any]:
    """The parameters of `insert.sql` for some games, all of the same env_id."""
    plies = np.cumsum([0, *map(len, episodes)]).tolist()
    found = np.concatenate([episode.values for episode in episodes])
    values: list[float | None] = found.tolist()
    for at in np.flatnonzero(np.isnan(found)):
        values[at] = None
    games = [
        (episode.episode_id, episode.env_id, episode.first_ply, begin, values[begin:end])
        for episode, begin, end in zip(episodes, plies[:-1], plies[1:], strict=True)
    ]
    states = concatenated([episode.states for episode in episodes], "u1")
    observations: NDArray[Any] = concatenated([episode.observations for episode in episodes], "<f4")
    policies = concatenated([episode.visits for episode in episodes], "<f4")
    if metadata.packed_moves:
        seen = np.concatenate([episode.observations[:-1] for episode in episodes])
        policies = np.ascontiguousarray(packed_rows(policies, seen, metadata), "<f4")
        observations = packed_observations(observations)
    return {
        "games": json.dumps(games),
        "states": states,
        "state_width": states.strides[0],
        "observations": observations,
        "observation_width": observations.strides[0],
        "actions": concatenated([episode.actions for episode in episodes], "<u4"),
        "policies": policies,
        "policy_width": policies.strides[0],
        "has_policy": concatenated([episode.has_policy for episode in episodes], "?"),
        "outcomes": concatenated([episode.outcomes for episode in episodes], "i1"),
        "now": int(time.time()),
    }


def concatenated(arrays: Sequence[NDArray[Any]], kind: str) -> NDArray[Any]:
    """The rows of several arrays in one, as numbers of a little-endian type ("<f4", "<u4", "u1")."""
    return np.ascontiguousarray(np.concatenate(arrays), kind)


def refuse_other_games(connection: sqlite3.Connection, path: Path, env_id: str) -> None:
    """Raise ReplayError if the open database at `path` also holds rows of another game, which a window would count: of one
    that its metadata states, or its oldest row, because other programs need not write metadata."""
    if not check_columns(connection, path):
        return
    queries = ["SELECT env_id FROM transitions WHERE rowid = (SELECT min(rowid) FROM transitions)"]
    if database.columns_of(connection, "game_metadata"):
        held = "SELECT 1 FROM transitions WHERE env_id = game_metadata.env_id"
        queries.append(f"SELECT env_id FROM game_metadata WHERE EXISTS ({held})")
    for (other,) in connection.execute(" UNION ".join(queries)).fetchall():
        if other != env_id:
            raise ReplayError(
                f"{path} also holds games of {other}, which --replay-window would count and never delete; write the games "
                f"of {env_id} into another file, or give --replay-window None"
            )
