"""Plain SQL on a replay database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def select(path: Path, query: str) -> list[tuple]:
    """All rows that a query finds."""
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        return connection.execute(query).fetchall()
