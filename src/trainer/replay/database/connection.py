"""Connections to a replay database, and their errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer.core.errors import ReplayError, ReplayUnavailableError
from trainer.core.files import may_write

BUSY_SECONDS = 60.0
"""How long to wait for another process to finish writing, unless the caller says otherwise."""
TEMPORARY_ERRORS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}
"""SQLite's error codes for conditions that may pass: another writer, a full disk, a read-only folder."""
NEEDS_WRITING = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
"""SQLite's error codes if a database can only be read by a process that may write to it: it has a write-ahead log, or the
rollback journal of a killed writer."""


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a ReplayError that names the file; a ReplayUnavailableError if the cause may pass."""
    try:
        yield
    except sqlite3.Error as error:
        temporary = getattr(error, "sqlite_errorcode", -1) & 0xFF in TEMPORARY_ERRORS
        kind = ReplayUnavailableError if temporary else ReplayError
        reason = " ".join(str(error).split())[:200]  # SQLite quotes the text that it can't parse
        raise kind(f"the replay database {path} can't be used: {reason}") from error
    except UnicodeDecodeError as error:  # raised by sqlite3 when it can't decode its own message
        raise ReplayError(f"the replay database {path} can't be used: its names are not text") from error
    except OSError as error:
        raise ReplayUnavailableError(f"the replay database {path} can't be used: {error.strerror}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit all of the block's writes, or none. Other writers wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some errors SQLite has rolled back already
            connection.execute("ROLLBACK")
        raise


def open_for_reading(path: Path, busy_seconds: float | None = None) -> sqlite3.Connection:
    """A read-only connection; the file is not created. Raises ReplayError if there is no database.

    `busy_seconds`: how long it waits for another process to finish writing, from now on; None: BUSY_SECONDS.

    If a writer without a write-ahead log was killed in its commit, that is undone first. The error is a
    ReplayUnavailableError if there is nothing at `path`, because another process may be about to replace the file.
    """
    if not path.exists():
        raise ReplayUnavailableError(
            f"there is no replay database at {path}; start an actor, or give its path with --db"
        )
    if not path.is_file():
        raise ReplayError(f"{path} is not a file; give the path of a replay database with --db")
    patience = BUSY_SECONDS if busy_seconds is None else busy_seconds
    with reporting(path):
        try:
            return connected(path, "mode=ro", sqlite3.Connection, patience)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in NEEDS_WRITING or not os.access(path, os.R_OK):
                raise
            if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK and may_write(path):
                # SQLite undoes what a killed writer had begun.
                connected(path, "mode=rw", sqlite3.Connection, patience).close()
                return connected(path, "mode=ro", sqlite3.Connection, patience)
            others = [beside(path, suffix) for suffix in ("-wal", "-journal")]
            if unfinished := [file for file in others if file.exists() and file.stat().st_size]:
                raise ReplayUnavailableError(
                    f"the replay database {path} can't be read: part of it is in {unfinished[0].name}, and only who may "
                    f"write to the folder can read that; run this as such a user, or copy both files to a folder of your "
                    f"own and give the copy with --db"
                ) from error
            return connected(path, "immutable=1", Snapshot, patience)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection that may write; the file is created if there is none. The caller holds the lock of `path`.

    Raises sqlite3.Error or OSError.
    """
    if not path.exists():  # SQLite would take a deleted database's leftover files for the new one's
        for suffix in ("-wal", "-shm", "-journal"):
            beside(path, suffix).unlink(missing_ok=True)
    return sqlite3.connect(
        path.absolute(),  # so that SQLite takes no name for a command, such as :memory: or file:x.db
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def beside(path: Path, suffix: str) -> Path:
    """A file that SQLite keeps beside a database; if that is a symbolic link, beside the file that it points to."""
    path = path.resolve()
    return path.with_name(path.name + suffix)


class Snapshot(sqlite3.Connection):
    """A connection to a database that no process writes, in a folder where this process may not write either.

    SQLite reads it without locks and doesn't notice later changes. So use it once; for the next look open the file again.
    """


def connected(path: Path, mode: str, kind: type[sqlite3.Connection], busy_seconds: float) -> sqlite3.Connection:
    """A connection that has read the file's head. Raises sqlite3.Error if that fails."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        factory=kind,
    )
    connection.text_factory = lambda text: text.decode(errors="replace")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
