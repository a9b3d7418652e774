"""Plain SQL on a replay database, by another program."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

KILLED_IN_TRANSACTION = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("PRAGMA journal_mode = DELETE")
connection.execute("PRAGMA cache_size = 1")  # changed pages go into the file before the commit
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE transitions SET env_id = 'lost'")
os._exit(9)
"""


def select(path: Path, query: str) -> list[tuple]:
    """All rows that a query finds."""
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        return connection.execute(query).fetchall()


def remove_policies(path: Path) -> None:
    """Take the policy target from every second row of each game, as in a file that another program wrote."""
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        connection.execute("UPDATE transitions SET policy_probs = NULL WHERE step_number % 2 = 1")


def kill_in_transaction(path: Path) -> None:
    """Leave a database half changed by a writer that was killed within a transaction, and its rollback journal.

    The database needs some hundred rows, and no write-ahead log.
    """
    before = path.read_bytes()
    assert subprocess.run([sys.executable, "-c", KILLED_IN_TRANSACTION, str(path)], check=False).returncode == 9
    assert path.read_bytes() != before
    assert journal_of(path).stat().st_size


def journal_of(path: Path) -> Path:
    """SQLite's rollback journal of a database."""
    return path.with_name(f"{path.name}-journal")
