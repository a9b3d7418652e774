"""The supply of rows."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event

import pytest
from conftest import CloseLater, ForeignDatabase
from episodes import TICTACTOE

from trainer.core.errors import WaitTimeoutError
from trainer.launch.local import trainer_config
from trainer.replay import ReplayBuffer, databases_of
from trainer.settings.loop import LoopConfig
from trainer.settings.trainer import TrainerConfig
from trainer.training.rows import RowSupply
from trainer.training.schedule import Schedule


def test_messages_name_the_databases_that_are_read(tmp_path: Path, close_later: CloseLater) -> None:
    """Not one that --db would find now, but that came too late."""
    for name in ("replay-0.db", "replay-1.db"):
        close_later(ForeignDatabase(tmp_path / name)).add_tictactoe(2)
    config = TrainerConfig(db=tmp_path / "replay-*.db", steps=1, max_wait=0.01, wait_interval=0.01)
    databases = databases_of(config.db)
    replay = close_later(ReplayBuffer(databases, TICTACTOE))
    close_later(ForeignDatabase(tmp_path / "replay-2.db"))
    with pytest.raises(WaitTimeoutError, match=r"^4 rows of tictactoe in \S*replay-0\.db, \S*replay-1\.db after"):
        RowSupply(replay, config, Schedule(config), Event()).wait_for_first(databases)


def test_a_long_pause_without_new_rows_is_mentioned_once_and_then_ends_the_training(
    tmp_path: Path, close_later: CloseLater, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With --passes, if the actor is gone."""
    monkeypatch.setattr("trainer.training.rows.SILENT_SECONDS", 0.0)
    database = tmp_path / "replay.db"
    close_later(ForeignDatabase(database)).add_tictactoe(2)
    config = TrainerConfig(db=database, steps=9, batch_size=1, passes=1, max_pause=0.2)
    rows = RowSupply(close_later(ReplayBuffer(database, TICTACTOE)), config, Schedule(config), Event())
    assert rows.wait_for_first([database])
    with caplog.at_level(logging.WARNING, "trainer"):
        rows.wait_for(2)
        assert not caplog.messages
        with pytest.raises(
            WaitTimeoutError, match=r"^no new row of tictactoe in \S*replay\.db for 0\.2 s, .* step 3; is"
        ):
            rows.wait_for(3)
    (said,) = caplog.messages
    assert said.startswith("no new row of tictactoe in ")


def test_the_trainer_of_a_loop_waits_for_new_rows_without_end() -> None:
    """The loop itself watches the actor, and the players of a cluster may come back after hours."""
    assert trainer_config(LoopConfig(max_wait=5.0)).max_pause == 0
    assert trainer_config(LoopConfig(max_wait=5.0)).max_wait == 5.0
