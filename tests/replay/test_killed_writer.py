"""A database whose writer, which used no write-ahead log, was killed within a transaction: a reader comes first."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing

import pytest
from conftest import CloseLater, ForeignDatabase
from episodes import TICTACTOE
from stored_rows import journal_of, kill_in_transaction

from trainer.replay import ReplayBuffer, count_rows, open_for_reading

ROWS = 300


@pytest.fixture
def database(foreign: Callable[..., ForeignDatabase]) -> ForeignDatabase:
    """Rows in SQLite's default journal mode."""
    database = foreign()
    database.add_tictactoe(ROWS)
    return database


def test_a_reader_undoes_what_was_half_done(database: ForeignDatabase) -> None:
    """A read-only connection can't; one that may write can, and the file is as it was before."""
    before = database.path.read_bytes()
    kill_in_transaction(database.path)
    with closing(open_for_reading(database.path)) as connection:
        found = connection.execute("SELECT env_id, count(*) FROM transitions GROUP BY env_id").fetchall()
    assert found == [("tictactoe", ROWS)]
    assert database.path.read_bytes() == before
    assert not journal_of(database.path).exists()
    assert count_rows(database.path) == ROWS


def test_a_running_trainer_goes_on(
    database: ForeignDatabase, close_later: CloseLater, caplog: pytest.LogCaptureFixture
) -> None:
    """Its open connection fails once. Then it reads again, and nobody else had to open the file."""
    caplog.set_level(logging.INFO)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    assert replay.refresh() == ROWS
    kill_in_transaction(database.path)
    assert [replay.refresh(), replay.refresh(), len(replay)] == [0, 0, ROWS]
    assert not journal_of(database.path).exists()
    assert caplog.messages[-1] == f"the replay database {database.path} can be read again"
    database.add_tictactoe(5)
    assert [replay.refresh(), len(replay)] == [5, ROWS + 5]
