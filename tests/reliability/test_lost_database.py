"""Databases that are deleted, replaced, locked or can't be opened: nobody fails, and nothing that is there is lost."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import CloseLater, ForeignDatabase, add_random_play
from episodes import TICTACTOE, episode
from torture import promises
from torture.faults import delete_database, rows_of, running, step_of, trainer_for
from waiting import wait_until

from trainer.actor.actor import act
from trainer.core.errors import ReplayUnavailableError
from trainer.replay import ReplayBuffer, ReplayWriter
from trainer.replay.database.connection import open_for_reading, transaction
from trainer.replay.reader import SECONDS_IN_TROUBLE
from trainer.replay.window import Window
from trainer.settings.actor import ActorConfig
from trainer.trainer import train


def test_a_deleted_database_leaves_its_rows_in_use_and_a_new_one_takes_over(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture, close_later: CloseLater
) -> None:
    """One line when it is gone, one when there is another; the old rows go when the new ones suffice for a batch."""
    config = trainer_for(tmp_path)
    with running(lambda stop: train(config, stop)) as result:
        wait_until(lambda: step_of(tmp_path) > 20, "it doesn't train")
        delete_database(tictactoe_rows.path)
        wait_until(lambda: "is gone; going on with the 200 rows" in caplog.text, "it doesn't notice")
        reached = step_of(tmp_path)
        wait_until(lambda: step_of(tmp_path) > reached, "it doesn't go on")
        database = close_later(ForeignDatabase(tmp_path / "replay.db"))
        add_random_play(database, 30, seed=1)
        wait_until(lambda: rows_of(tmp_path) == 230, "the new rows aren't used beside the old ones")
        add_random_play(database, 60, seed=2)
        wait_until(lambda: rows_of(tmp_path) == 90, "the old rows are not left out")
    assert result == [130]
    assert "was replaced: reading it from the start; the 200 rows that were read stay" in caplog.text


def test_a_database_that_is_replaced_or_emptied_is_read_from_the_start(tmp_path: Path, close_later: CloseLater) -> None:
    """Another file is renamed over it, or its rows are deleted: the buffer follows, whatever the row numbers are."""
    database = close_later(ForeignDatabase(tmp_path / "replay.db"))
    add_random_play(database, 10)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    assert replay.refresh() == 10
    (tmp_path / "new").mkdir()
    other = close_later(ForeignDatabase(tmp_path / "new" / "replay.db"))
    add_random_play(other, 30, seed=3)
    os.replace(other.path, database.path)
    assert replay.refresh() == 30
    assert len(replay) == 30
    other.connection.close()
    other.connection = close_later(sqlite3.connect(database.path))
    other.connection.execute("DELETE FROM transitions")
    other.connection.commit()
    assert replay.refresh() == 0
    assert len(replay) == 30  # training goes on with what there was
    other.rows = 0
    add_random_play(other, 5, seed=4)
    assert replay.refresh() == 5
    assert len(replay) == 5


def test_a_database_that_is_replaced_by_an_empty_file_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, close_later: CloseLater
) -> None:
    """It may stay empty for long, and is looked at several times per second."""
    database = close_later(ForeignDatabase(tmp_path / "replay.db"))
    add_random_play(database, 10)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    replay.refresh()
    (tmp_path / "empty").touch()
    os.replace(tmp_path / "empty", database.path)
    for _ in range(3):
        assert replay.refresh() == 0
    assert sum("was replaced" in message for message in caplog.messages) == 1


@pytest.mark.parametrize("everything", [True, False])
def test_an_actor_whose_database_is_deleted_goes_on_in_a_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, everything: bool, close_later: CloseLater
) -> None:
    """With what SQLite keeps beside it or without: the new one is whole, and has the later games."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE))
    writer.write([episode("a-0"), episode("a-1")])
    if everything:
        delete_database(path)
    else:
        path.unlink()
    writer.write([episode("a-2")])
    writer.write([episode("a-3")])
    writer.close()
    assert promises.check_database(path) == 2
    assert "was deleted or replaced: going on in a new file" in caplog.text


def test_games_in_a_database_that_is_deleted_while_they_are_written_go_into_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close_later: CloseLater
) -> None:
    """The transaction succeeds, in a file that nobody will find again."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE))
    deleted: list[Path] = []

    @contextmanager
    def deleting(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with transaction(connection) as inner:
            yield inner
            if not deleted:
                deleted.append(path)
                delete_database(path)

    monkeypatch.setattr("trainer.replay.writer.transaction", deleting)
    writer.write([episode("a-0")])
    writer.close()
    assert deleted
    assert promises.check_database(path) == 1


def test_games_are_stored_once_also_if_cleaning_up_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close_later: CloseLater
) -> None:
    """A full disk when old games are to be deleted: the new ones are stored, so they must not be written again."""
    writer = close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE, window=100))

    def full(window: Window, connection: sqlite3.Connection, written: int) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(Window, "prune", full)
    for name in ("a-0", "a-1"):
        writer.write([episode(name)])
    writer.close()
    assert promises.check_database(tmp_path / "replay.db") == 2


def test_a_database_is_deleted_under_a_running_actor_and_trainer(tmp_path: Path) -> None:
    """Both go on: games come into the new database, and the trainer takes them from there."""
    actor = ActorConfig(
        replay_db_path=tmp_path / "replay.db", data_dir=tmp_path, games=4, simulations=5, replay_window=10_000
    )
    trainer = trainer_for(tmp_path)
    with running(lambda stop: act(actor, stop)) as played, running(lambda stop: train(trainer, stop)) as trained:
        wait_until(lambda: step_of(tmp_path) > 100, "it doesn't train", played, trained)
        reached = step_of(tmp_path)
        delete_database(tmp_path / "replay.db")
        wait_until((tmp_path / "replay.db").exists, "the actor makes no new database", played, trained)
        wait_until(lambda: step_of(tmp_path) > reached + 500, "it doesn't train on", played, trained)
    assert trained == [130]
    assert len(played) == 1
    assert not isinstance(played[0], Exception)
    assert promises.check_database(tmp_path / "replay.db") > 0


def test_a_database_that_cannot_be_read_for_now_leaves_its_rows_in_use(
    tictactoe_rows: ForeignDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    close_later: CloseLater,
) -> None:
    """Somebody holds it locked for longer than we wait: one warning, and the rows are read when that is over."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("trainer.replay.database.connection.BUSY_SECONDS", 0.1)
    replay = close_later(ReplayBuffer(tictactoe_rows.path, TICTACTOE))
    replay.refresh()
    add_random_play(tictactoe_rows, 10, seed=1)
    tictactoe_rows.connection.execute("BEGIN EXCLUSIVE")
    assert [replay.refresh(), replay.refresh()] == [0, 0]
    assert len(replay) == 200
    tictactoe_rows.connection.execute("ROLLBACK")
    assert replay.refresh() == 10
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "database is locked; going on with the 200 rows" in warnings[0]
    assert "can be read again" in caplog.text


def test_training_does_not_wait_at_each_step_for_a_locked_database(
    tictactoe_rows: ForeignDatabase, monkeypatch: pytest.MonkeyPatch, close_later: CloseLater
) -> None:
    """The first look waits as long as any other program does, those that follow for a moment; once the lock is gone, the
    next one has patience again. How often to look counts from the end of the last look."""
    now, waits = [100.0], []

    def opened(path: Path, busy_seconds: float | None = None) -> sqlite3.Connection:
        waits.append(busy_seconds)
        now[0] += 60.0  # by this clock
        return open_for_reading(path, busy_seconds)

    monkeypatch.setattr("trainer.replay.reader.open_for_reading", opened)
    monkeypatch.setattr("trainer.replay.buffer.time.monotonic", lambda: now[0])
    monkeypatch.setattr("trainer.replay.database.connection.BUSY_SECONDS", 0.1)
    replay = close_later(ReplayBuffer(tictactoe_rows.path, TICTACTOE))
    replay.refresh()
    add_random_play(tictactoe_rows, 10, seed=1)
    tictactoe_rows.connection.execute("BEGIN EXCLUSIVE")
    for _ in range(3):
        replay.refresh()
    assert waits == [None, SECONDS_IN_TROUBLE, SECONDS_IN_TROUBLE]
    assert replay.refresh(every=0.5) == 0
    assert len(waits) == 3
    tictactoe_rows.connection.execute("ROLLBACK")
    assert replay.refresh() == 10
    replay.refresh()
    assert waits[3:] == [SECONDS_IN_TROUBLE, None]


def test_a_write_that_finds_the_database_locked_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close_later: CloseLater
) -> None:
    """The error says that it may pass, and nothing of the game is stored before."""
    monkeypatch.setattr("trainer.replay.database.connection.BUSY_SECONDS", 0.1)
    writer = close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE))
    other = close_later(sqlite3.connect(tmp_path / "replay.db", isolation_level=None))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ReplayUnavailableError, match="database is locked"):
        writer.write([episode("a-0")])
    other.execute("ROLLBACK")
    writer.write([episode("a-0")])
    assert promises.check_database(tmp_path / "replay.db") == 1


def test_a_database_that_cannot_be_opened_is_an_error_at_the_start(
    tmp_path: Path, call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder in its place, in one line."""
    path = tmp_path / "replay.db"
    path.mkdir()
    for module, words in (
        ("trainer.__main__", ("--db", path, "--model-dir", tmp_path / "m", "--stats", tmp_path / "s")),
        ("trainer.actor.__main__", ("--replay-db-path", path, "--data-dir", tmp_path)),
    ):
        assert call_main(module, *words) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"error: {path} is not a file; give the path of a replay database")
        assert said.count("\n") == 1


def test_the_log_of_a_linked_database_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close_later: CloseLater
) -> None:
    """SQLite keeps it beside the file that the link points to."""
    monkeypatch.setattr("trainer.replay.writer.LOG_LIMIT", 0)
    (tmp_path / "disk").mkdir()
    target, link = tmp_path / "disk" / "target.db", tmp_path / "replay.db"
    link.symlink_to(target)
    writer = close_later(ReplayWriter(link, TICTACTOE))
    writer.write([episode("a-0")])
    assert (tmp_path / "disk" / "target.db-wal").stat().st_size == 0
    assert promises.check_database(link) == 1


def test_a_log_that_a_long_reader_keeps_from_being_emptied_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, close_later: CloseLater
) -> None:
    """Else it would grow until the disk is full, and nobody would know why. Once it is short again, the next one counts."""
    for name, value in (("LOG_LIMIT", 0), ("LONG_LOG", 1), ("LOG_EVERY", 0.0), ("LOG_PATIENCE", 0.0)):
        monkeypatch.setattr(f"trainer.replay.writer.{name}", value)
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE))
    reader = close_later(sqlite3.connect(path, isolation_level=None))
    log = tmp_path / "replay.db-wal"
    for count in (1, 2):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM transitions").fetchone()
        for number in range(3):
            writer.write([episode(f"a-{count}{number}")])
        reader.execute("COMMIT")
        assert len(caplog.messages) == count
        said = f"{log} has 0 MiB, because a program has been reading the database in one transaction for long; close"
        assert caplog.messages[-1].startswith(said)
        writer.write([episode(f"b-{count}")])  # empties it
        monkeypatch.setattr("trainer.replay.writer.LOG_LIMIT", 2**30)
        writer.write([episode(f"c-{count}")])  # finds it short
        monkeypatch.setattr("trainer.replay.writer.LOG_LIMIT", 0)


class WithoutLog(sqlite3.Connection):
    """A connection to a database that another process keeps from getting a write-ahead log."""

    def execute(self, statement: str, *given: Any) -> sqlite3.Cursor:
        """SQLite's, or its error if another process is in the way."""
        if statement == "PRAGMA journal_mode = WAL":
            raise sqlite3.OperationalError("database is locked")
        return super().execute(statement, *given)


@pytest.mark.parametrize(
    ("kind", "found"), [(sqlite3.Connection, ("wal", 1)), (WithoutLog, ("delete", 2))], ids=["log", "journal"]
)
def test_a_power_failure_can_not_damage_a_database_in_either_journal_mode(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    close_later: CloseLater,
    kind: type[sqlite3.Connection],
    found: tuple[str, int],
) -> None:
    """With synchronous=NORMAL (1) SQLite promises that for a write-ahead log alone. Otherwise each commit waits for the disk
    (2: FULL)."""
    opened = []

    def noted(path: Path) -> sqlite3.Connection:
        opened.append(sqlite3.connect(path, factory=kind, isolation_level=None))
        return opened[-1]

    monkeypatch.setattr("trainer.replay.writer.open_for_writing", noted)
    close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE)).write([episode("a-0")])
    (connection,) = opened
    settings = ("journal_mode", "synchronous")
    assert tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in settings) == found
