"""The replay database: its schema, its connections and its errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from trainer.core.errors import ReplayError, ReplayUnavailableError, shortened
from trainer.core.files import may_write

SCHEMA = files("trainer.replay").joinpath("replay.sql").read_text()
BUSY_SECONDS = 60.0
"""How long to wait for another process to finish writing."""
METADATA_COLUMNS = (
    "env_id",
    "display_name",
    "board_width",
    "board_height",
    "num_actions",
    "obs_size",
    "legal_mask_offset",
    "player_count",
)
ROWID_SPAN = "SELECT (SELECT min(rowid) FROM transitions), (SELECT max(rowid) FROM transitions)"
"""The oldest and the newest rowid. Two index look-ups; in one aggregate query SQLite would read the whole table."""
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
LARGEST_COUNT = 65_536
"""The largest dimension of a game that is accepted. A larger one means a damaged file, and would fill the memory."""
OPTIONAL_COLUMNS = {"created_at"}
"""Columns of the contract that this package neither reads nor writes."""


@dataclass(frozen=True)
class Metadata:
    """A game's dimensions: a row of `game_metadata`."""

    env_id: str
    display_name: str
    board_width: int
    board_height: int
    num_actions: int
    obs_size: int
    legal_mask_offset: int
    player_count: int = 2
    packed_moves: int = 0
    """The most legal moves of a position, if rows are stored in packed form (see `packing.py`); else 0."""


class StoredRules(NamedTuple):
    """What a database keeps of a game that the contract doesn't know: a row of `game_layouts`."""

    layout: str
    """The layout of its observations as JSON."""
    stamp: str | None
    """A hash of the rules by which its games were played; None: it states none."""


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


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A read-only connection; the file is not created. Raises ReplayError if there is no database.

    If a writer without a write-ahead log was killed in its commit, that is undone first. The error is a
    ReplayUnavailableError if there is nothing at `path`, because another process may be about to replace the file.
    """
    if not path.exists():
        raise ReplayUnavailableError(
            f"there is no replay database at {path}; start an actor, or give its path with --db"
        )
    if not path.is_file():
        raise ReplayError(f"{path} is not a file; give the path of a replay database with --db")
    with reporting(path):
        try:
            return connected(path, "mode=ro", sqlite3.Connection)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in NEEDS_WRITING or not os.access(path, os.R_OK):
                raise
            if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK and may_write(path):
                connected(path, "mode=rw", sqlite3.Connection).close()  # SQLite undoes what a killed writer had begun
                return connected(path, "mode=ro", sqlite3.Connection)
            others = [beside(path, suffix) for suffix in ("-wal", "-journal")]
            if unfinished := [file for file in others if file.exists() and file.stat().st_size]:
                raise ReplayUnavailableError(
                    f"the replay database {path} can't be read: part of it is in {unfinished[0].name}, and only who may "
                    f"write to the folder can read that; run this as such a user, or copy both files to a folder of your "
                    f"own and give the copy with --db"
                ) from error
            return connected(path, "immutable=1", Snapshot)


def beside(path: Path, suffix: str) -> Path:
    """A file that SQLite keeps beside a database; if that is a symbolic link, beside the file that it points to."""
    path = path.resolve()
    return path.with_name(path.name + suffix)


class Snapshot(sqlite3.Connection):
    """A connection to a database that no process writes, in a folder where this process may not write either.

    SQLite reads it without locks and doesn't notice later changes. So use it once; for the next look open the file again.
    """


def connected(path: Path, mode: str, kind: type[sqlite3.Connection]) -> sqlite3.Connection:
    """A connection that has read the file's head. Raises sqlite3.Error if that fails."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
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


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns, in order; empty if there is no such table."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def count_rows(path: Path) -> int:
    """How many rows a database holds, of all games together; 0 if there is no file or no table yet. Raises ReplayError.

    Rowids are assigned in order, and the oldest rows are deleted first, so their span is the number of rows.
    """
    if not path.exists():
        return 0
    with closing(open_for_reading(path)) as connection, reporting(path):
        if not columns_of(connection, "transitions"):
            return 0
        oldest, newest = connection.execute(ROWID_SPAN).fetchone()
    return 0 if oldest is None else int(newest - oldest + 1)


def check_columns(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is a `transitions` table yet. Raises ReplayError naming the columns of the contract that it lacks."""
    found = columns_of(connection, "transitions")
    if not found:
        return False
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(SCHEMA)
        expected = columns_of(model, "transitions")
    if missing := [name for name in expected if name not in found and name not in OPTIONAL_COLUMNS]:
        raise ReplayError(
            f"the table transitions of {path} lacks {', '.join(missing)}; "
            f"it was written by another program, or is too old to be used; start a new file"
        )
    if not has_rowids(connection):
        raise ReplayError(
            f"transitions of {path} must be an ordinary table, but it is a view or WITHOUT ROWID, so new rows can't be told "
            f"from old ones; copy its rows into a table as in docs/formats.md"
        )
    return True


def has_rowids(connection: sqlite3.Connection) -> bool:
    """Whether `transitions` is a table whose rows are numbered by SQLite; views, and tables WITHOUT ROWID, are not."""
    kinds = connection.execute("SELECT type FROM sqlite_master WHERE name = 'transitions'").fetchall()
    if kinds == [("view",)]:
        return False
    try:
        connection.execute("SELECT rowid FROM transitions LIMIT 0")
    except sqlite3.OperationalError:  # no such column
        return False
    return True


def read_game(path: Path, env_id: str) -> tuple[Metadata | None, StoredRules | None]:
    """The dimensions that the database states for a game, and what it keeps of its rules; None for what it doesn't have.

    A file that doesn't exist has neither. Raises ReplayError.
    """
    if not path.exists():
        return None, None
    with closing(open_for_reading(path)) as connection, reporting(path):
        return metadata_in(connection, path, env_id), rules_in(connection, env_id)


def metadata_in(connection: sqlite3.Connection, path: Path, env_id: str) -> Metadata | None:
    """The dimensions that the open database at `path` states for a game; None if it states none."""
    found = columns_of(connection, "game_metadata")
    if not found:
        return None
    if missing := [name for name in METADATA_COLUMNS if name not in found]:
        raise ReplayError(f"the table game_metadata of {path} lacks {', '.join(missing)}; start a new file")
    query = f"SELECT {', '.join(METADATA_COLUMNS)} FROM game_metadata WHERE env_id = ?"
    row = connection.execute(query, (env_id,)).fetchone()
    if row is None:
        return None
    for name, value in zip(METADATA_COLUMNS[2:], row[2:], strict=True):
        if not isinstance(value, int) or not (0 if name == "legal_mask_offset" else 1) <= value <= LARGEST_COUNT:
            raise ReplayError(
                f"game_metadata of {path} states {name} = {shortened(value)} for {env_id}; "
                f"a count up to {LARGEST_COUNT} is needed"
            )
    return Metadata(*row)


def rules_in(connection: sqlite3.Connection, env_id: str) -> StoredRules | None:
    """What an open database keeps of a game's rules; None if it keeps nothing."""
    if not columns_of(connection, "game_layouts"):
        return None
    row = connection.execute("SELECT layout, rules FROM game_layouts WHERE env_id = ?", (env_id,)).fetchone()
    return StoredRules(str(row[0]), None if row[1] is None else str(row[1])) if row else None


def refuse_other_rules(connection: sqlite3.Connection, path: Path, env_id: str, stamp: str | None) -> None:
    """Raise ReplayError if the file at `path` holds games that were played by other rules than those with this hash."""
    kept = rules_in(connection, env_id) if stamp else None
    if kept and kept.stamp and kept.stamp != stamp:
        raise ReplayError(
            f"the games in {path} are played by other rules of {env_id}: their hash is {kept.stamp}, and that of the rules "
            f"here is {stamp}; give another database, or the rules of that run"
        )


def read_stamp(path: Path, env_id: str) -> str | None:
    """The hash of the rules by which the games of a database were played; None if it states none, or if there is no file."""
    if not path.exists():
        return None
    with closing(open_for_reading(path)) as connection, reporting(path):
        kept = rules_in(connection, env_id)
    return kept.stamp if kept else None
