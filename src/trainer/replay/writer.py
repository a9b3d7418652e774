"""The writer of a replay database: actors store whole games."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.core.errors import ReplayUnavailableError
from trainer.core.files import identity_of
from trainer.core.locks import locked
from trainer.core.log import Trouble
from trainer.replay.database.connection import beside, open_for_writing, reporting, transaction
from trainer.replay.database.metadata import Metadata, StoredRules, state_game
from trainer.replay.database.tables import SCHEMA, SHIPMENTS, check_columns
from trainer.replay.episode import GAMES_AT_ONCE, INSERT, Episode, arrays_of
from trainer.replay.window import Window, refuse_other_games

log = logging.getLogger(__name__)

PAGE_SIZE = 16_384
"""Bytes per page of a new file. An Othello row would take a whole page of SQLite's default 4,096 bytes and leave half of it
empty."""
LOG_LIMIT = 32 * 2**20
"""Bytes of the write-ahead log above which the writer empties it, instead of waiting for a moment without readers."""
LONG_LOG = 8 * LOG_LIMIT
"""Bytes of the write-ahead log from which a warning says that it can't be emptied."""
LOG_PATIENCE = 1.0
"""Seconds that emptying the log may wait for readers. Other writers wait meanwhile."""
LOG_EVERY = 10.0
"""Seconds between two attempts to empty the log."""
MARK = "INSERT OR REPLACE INTO shipments (sender, last) VALUES (?, ?)"


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
        self._kept_rows = window
        self._rules = rules
        self._tables = SCHEMA + SHIPMENTS if shipments else SCHEMA
        self._next_emptying = 0.0
        self._trouble = Trouble(log)
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
                if self._window is not None:
                    self._window.prune(self._connection, sum(map(len, episodes)))
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
            self._connection = open_for_writing(self.path)
            self._identity = identity_of(self.path)
            self._window = None if self._kept_rows is None else Window(self._kept_rows, self._metadata.env_id)
            try:
                self._connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # has no effect if there are tables
                self._prefer_write_ahead_log()
                check_columns(self._connection, self.path)
                self._connection.executescript(f"BEGIN IMMEDIATE;\n{self._tables}\nCOMMIT;")
                if self._window is not None:
                    refuse_other_games(self._connection, self.path, self._metadata.env_id)
                with transaction(self._connection) as connection:
                    state_game(connection, self.path, self._metadata, self._rules)
            except BaseException:
                self.close()
                self._identity = None  # the next write opens it again
                raise

    def _empty_log(self) -> None:
        """Move a long write-ahead log into the database. Gives up if a reader is in the way: other writers wait."""
        ahead = beside(self.path, "-wal")
        if time.monotonic() < self._next_emptying:
            return
        size = ahead.stat().st_size if ahead.exists() else 0
        if size <= LOG_LIMIT:
            self._trouble.end()
            return
        self._next_emptying = time.monotonic() + LOG_EVERY
        (usual,) = self._connection.execute("PRAGMA busy_timeout").fetchone()
        self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * LOG_PATIENCE)}")
        try:
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {usual}")
        if busy and size >= LONG_LOG:
            self._trouble.begin(
                f"{ahead} has {size / 2**20:.0f} MiB, because a program has been reading the database in one transaction "
                f"for long; close that program, or the disk becomes full"
            )

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
        """Use write-ahead logging, so readers and writers don't wait for each other, unless another process prevents it.

        With it SQLite keeps the file sound in a power failure although it doesn't wait for the disk at each commit; with a
        rollback journal it does only if it waits (https://www.sqlite.org/pragma.html#pragma_synchronous).
        """
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        (mode,) = self._connection.execute("PRAGMA journal_mode").fetchone()
        self._connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
