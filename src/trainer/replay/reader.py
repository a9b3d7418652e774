"""The reader of one database, the counterpart of the writer.

The SQLite database is the source of truth. The reader follows it: it reads each new row once into memory and drops the rows
that actors have deleted.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from trainer.core.errors import ReplayError, ReplayUnavailableError
from trainer.core.files import NO_FILE, identity_of
from trainer.core.log import Trouble
from trainer.replay.columns import COLUMNS, checked
from trainer.replay.database.connection import Snapshot, open_for_reading, reporting
from trainer.replay.database.metadata import Metadata, refuse_other_rules
from trainer.replay.database.tables import check_columns
from trainer.replay.repeats import Repeats
from trainer.replay.row_store import RowStore

log = logging.getLogger(__name__)

READ_SLICE = 512
"""Rows per read. Few enough that no reader delays a writer (or a checkpoint of the write-ahead log) for long, and fewer than
the 700 new objects after which Python's garbage collector runs."""
OLDEST = "SELECT rowid FROM transitions WHERE rowid >= ? AND env_id = ? ORDER BY rowid LIMIT 1"
"""The oldest row of a game from a rowid on. There is no index on env_id. From the oldest row that was known, the search
passes only rows of other games, and each of them once."""
SECONDS_IN_TROUBLE = 0.1
"""How long to wait for a lock once the database couldn't be read: training stands still meanwhile, and looks again soon."""
NAMED_BAD_ROWS = 10  # how many skipped rows the log names; further ones are only counted


class ReplayReader:
    """Follows the rows of one game in one database."""

    def __init__(
        self,
        path: Path,
        metadata: Metadata,
        min_rows: int,
        skip_bad_rows: bool,
        repeats: Repeats | None,
        stamp: str | None,
    ) -> None:
        """A reader of the rows of `metadata.env_id`. It has none until the first `refresh`.

        `repeats`: counts the positions of these rows; None: nobody counts them. The rest is as in `ReplayBuffer`.
        """
        self.path = path
        self.metadata = metadata
        self.rows = RowStore(metadata, min_rows, repeats)
        """The rows that are still in the database."""
        self.bad_rows = 0
        """Rows that were skipped."""
        self.seen = 0
        """Rows ever read, including those that have left the database since."""
        self._stamp = stamp
        self._skip_bad_rows = skip_bad_rows
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._version: int | None = None  # SQLite's data_version at the last read
        self._trouble = Trouble(log)
        self._last_row = 0  # rowid up to which the database was read
        self._oldest = 0  # rowid below which the database has no row of this game

    def refresh(self) -> None:
        """Read the rows added since the last call. See `ReplayBuffer.refresh`."""
        try:
            with reporting(self.path):
                connection = self._connected()
                if connection is not None:
                    self._read(connection)
        except ReplayUnavailableError as error:
            self._trouble.begin(f"{error}; going on with the {len(self.rows)} rows that were read")
            self.close()
        else:
            if self._connection is not None:
                if self._trouble.goes_on:
                    self.close()  # the next connection waits longer for a lock
                self._trouble.end(f"the replay database {self.path} can be read again")

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
                self._trouble.begin(
                    f"the replay database {self.path} is gone; going on with the {len(self.rows)} rows that were read"
                )
                return None
            self._start_over(f"the replay database {self.path} was replaced")
            self._identity = None  # said once, also if the new file has no rows yet
        if self._connection is None and found is not None:
            with ExitStack() as closed:
                patience = SECONDS_IN_TROUBLE if self._trouble.goes_on else None
                connection = closed.enter_context(closing(open_for_reading(self.path, patience)))
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
            len(self.rows),
            self.rows.min_rows,
        )
        self._last_row = self._oldest = 0
        self.rows.start_over()

    def _read(self, connection: sqlite3.Connection) -> None:
        """Append the new rows, drop those that were deleted."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        newest = connection.execute("SELECT max(rowid) FROM transitions").fetchone()[0] or 0
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
        oldest = connection.execute(OLDEST, (self._oldest, self.metadata.env_id)).fetchone()
        self._oldest = newest + 1 if oldest is None else oldest[0]
        self.rows.drop_before(self._oldest)

    def _append(self, connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
        """Check some rows and keep them. If bad rows are skipped, they are found by bisection."""
        if not rows:
            return
        try:
            good = checked(rows, self.metadata, self.path, connection)
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
        self.rows.append(good)
        self.seen += len(rows)

    def _count_bad(self, error: ReplayError) -> None:
        """Count a skipped row; log the first few."""
        self.bad_rows += 1
        if self.bad_rows <= NAMED_BAD_ROWS:
            log.warning("skipped: %s", error)
        if self.bad_rows == NAMED_BAD_ROWS:
            log.warning("further rows that are skipped are counted only, as bad_rows in the statistics")
