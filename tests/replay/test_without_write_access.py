"""A database in a folder in which this process may not write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from conftest import ForeignDatabase
from episodes import episode
from stored_rows import kill_in_transaction

from trainer.core.errors import ReplayUnavailableError
from trainer.game_config import load_game_config, metadata_of
from trainer.games import game_of
from trainer.replay import ReplayBuffer, ReplayWriter

TICTACTOE = metadata_of(game_of("tictactoe"))
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may read."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextmanager
def without_write_access(folder: Path) -> Iterator[None]:
    """For everybody, and as another user where this one is root."""
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555 if path == folder else 0o444)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o644)


def store(path: Path, games: int) -> None:
    """Add games as an actor does."""
    with closing(ReplayWriter(path, TICTACTOE)) as writer:
        writer.write([episode(f"{time.monotonic_ns()}-{number}") for number in range(games)])


def load_kernels(path: Path) -> None:
    """Read a database, so that this process has the kernels: as another user it may not write to their folder."""
    store(path, 1)
    with closing(ReplayBuffer(path, TICTACTOE)) as replay:
        replay.refresh()


def test_a_rollback_journal_that_cannot_be_used_is_named_with_what_to_do(folder: Path) -> None:
    """A writer without a write-ahead log was killed within a transaction: the file is not whole."""
    path = folder / "replay.db"
    database = ForeignDatabase(path)
    database.add_tictactoe(300)
    database.close()
    kill_in_transaction(path)
    with without_write_access(folder), pytest.raises(ReplayUnavailableError) as refused:
        load_game_config("tictactoe", path)
    assert str(refused.value).startswith(
        f"the replay database {path} can't be read: part of it is in replay.db-journal"
    )


def test_the_database_of_a_finished_run_is_read(folder: Path, tmp_path: Path) -> None:
    """SQLite itself says that it may not write to it."""
    path = folder / "replay.db"
    store(path, 3)
    load_kernels(tmp_path / "other.db")
    with without_write_access(folder):
        with (
            pytest.raises(sqlite3.OperationalError),
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain,
        ):
            plain.execute("SELECT * FROM transitions")
        assert load_game_config("tictactoe", path).metadata == TICTACTOE
        with closing(ReplayBuffer(path, TICTACTOE)) as replay:
            assert replay.refresh() > 0


def test_games_stored_later_are_read_too(folder: Path) -> None:
    """An owner who goes on is noticed."""
    path = folder / "replay.db"
    store(path, 3)
    with closing(ReplayBuffer(path, TICTACTOE)) as replay:
        with without_write_access(folder):
            first = replay.refresh()
        store(path, 2)
        with without_write_access(folder):
            assert replay.refresh() > 0
    assert first > 0


def test_rows_in_a_log_that_cannot_be_read_are_named_with_what_to_do(folder: Path) -> None:
    """The owner was killed: nothing is left out in silence."""
    path = folder / "replay.db"
    with closing(ReplayWriter(path, TICTACTOE)) as writer:
        writer.write([episode()])
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{folder}/copy.db{suffix}")
    for file in folder.glob("replay.db*"):
        file.unlink()
    with without_write_access(folder), pytest.raises(ReplayUnavailableError) as refused:
        load_game_config("tictactoe", folder / "copy.db")
    assert str(refused.value) == (
        f"the replay database {folder}/copy.db can't be read: part of it is in copy.db-wal, and only who may write to "
        "the folder can read that; run this as such a user, or copy both files to a folder of your own and "
        "give the copy with --db"
    )
