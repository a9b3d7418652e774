"""A `transitions` that is no ordinary table is refused in one sentence."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trainer.core.errors import ReplayError
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import SCHEMA, ReplayBuffer, ReplayWriter

TICTACTOE = metadata_of(game_of("tictactoe"))
MESSAGE = r"transitions of .*replay\.db must be an ordinary table, but it is a view or WITHOUT ROWID"


def view(connection: sqlite3.Connection) -> None:
    """A view of a table with another name."""
    connection.executescript(SCHEMA)
    connection.execute("DROP INDEX IF EXISTS idx_transitions_timestamp")
    connection.execute("ALTER TABLE transitions RENAME TO stored")
    connection.execute("CREATE VIEW transitions AS SELECT * FROM stored")


def without_rowid(connection: sqlite3.Connection) -> None:
    """The contract's table, its rows not numbered."""
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(SCHEMA)
        (text,) = model.execute("SELECT sql FROM sqlite_master WHERE name = 'transitions'").fetchone()
    connection.execute(f"{text} WITHOUT ROWID")


@pytest.mark.parametrize("make", [view, without_rowid], ids=lambda make: make.__name__)
def test_it_is_named(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    """By who reads and by who writes."""
    path = tmp_path / "replay.db"
    with closing(sqlite3.connect(path)) as connection:
        make(connection)
        connection.commit()
    with closing(ReplayBuffer(path, TICTACTOE)) as replay, pytest.raises(ReplayError, match=MESSAGE):
        replay.refresh()
    with pytest.raises(ReplayError, match=MESSAGE):
        ReplayWriter(path, TICTACTOE)
