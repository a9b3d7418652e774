"""The tables of a replay database: their schemas, their columns, and how many rows there are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from trainer.core.errors import ReplayError
from trainer.replay.database.connection import open_for_reading, reporting

SCHEMA, LAYOUTS, SHIPMENTS = (
    files("trainer.replay.database").joinpath(f"{name}.sql").read_text() for name in ("replay", "layouts", "shipments")
)
ROWID_SPAN = "SELECT (SELECT min(rowid) FROM transitions), (SELECT max(rowid) FROM transitions)"
"""The oldest and the newest rowid. Two index look-ups; in one aggregate query SQLite would read the whole table."""
OPTIONAL_COLUMNS = {"created_at"}
"""Columns of the contract that this package neither reads nor writes."""


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns, in order; empty if there is no such table."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def has_tables(path: Path) -> bool:
    """Whether there is a database at `path` with any table yet. Raises ReplayError."""
    if not path.exists():
        return False
    with closing(open_for_reading(path)) as connection, reporting(path):
        return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


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
