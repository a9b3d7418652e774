"""A writer whose database is gone, or can't be opened for a while."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CloseLater
from episodes import TICTACTOE, episode
from stored_rows import select

from trainer.core.errors import ReplayUnavailableError
from trainer.replay import ReplayWriter

EPISODES = "SELECT DISTINCT episode_id FROM transitions ORDER BY rowid"
CALLS: list[Callable[[ReplayWriter], object]] = [
    lambda writer: writer.write([episode("a-9")]),
    lambda writer: writer.last_episode("a-"),
    lambda writer: writer.last_shipment("a"),
]
every_call = pytest.mark.parametrize("call", CALLS, ids=["write", "last_episode", "last_shipment"])


@every_call
def test_a_database_that_can_not_be_opened_may_be_opened_later(
    tmp_path: Path, close_later: CloseLater, call: Callable[[ReplayWriter], object]
) -> None:
    """Each attempt says so, not only the first one; a folder in its place can be removed. Then there is a new file."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE, shipments=True))
    writer.write([episode("a-0")])
    path.unlink()
    path.mkdir()
    for _ in range(2):
        with pytest.raises(ReplayUnavailableError):
            call(writer)
    path.rmdir()
    call(writer)
    assert writer.last_episode("b-") is None
    assert path.is_file()


@every_call
def test_a_database_that_comes_back_is_opened_again(
    tmp_path: Path, close_later: CloseLater, call: Callable[[ReplayWriter], object]
) -> None:
    """The same file, with the games that it had: it was moved away, and couldn't be opened meanwhile."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE, shipments=True))
    writer.write([episode("a-0")])
    path.rename(tmp_path / "elsewhere.db")
    path.mkdir()
    with pytest.raises(ReplayUnavailableError):
        call(writer)
    path.rmdir()
    (tmp_path / "elsewhere.db").rename(path)
    call(writer)
    writer.write([episode("b-0")])
    assert (writer.last_episode("b-"), select(path, EPISODES)[0]) == ("b-0", ("a-0",))
