"""The supply of rows."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from conftest import CloseLater, ForeignDatabase
from episodes import TICTACTOE

from trainer.core.errors import WaitTimeoutError
from trainer.replay import ReplayBuffer
from trainer.run.databases import databases_of
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
        RowSupply(replay, config, Schedule(config), Event(), databases).wait_for_first(0)


def test_a_long_pause_without_new_rows_is_mentioned_once(
    tmp_path: Path, close_later: CloseLater, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --passes, if the actor is gone. Here the run is stopped a few looks after the message."""
    database, stop, said, looks = tmp_path / "replay.db", Event(), [], []
    close_later(ForeignDatabase(database)).add_tictactoe(2)
    config = TrainerConfig(db=database, steps=9, batch_size=1, passes=1)
    replay = close_later(ReplayBuffer(database, TICTACTOE))
    rows = RowSupply(replay, config, Schedule(config), stop, [database])
    assert rows.wait_for_first(0)

    def look(every: float) -> int:
        looks.append(every)
        if len(looks) == 5:
            stop.set()
        return 0

    monkeypatch.setattr("trainer.training.rows.SILENT_SECONDS", 0.0)
    monkeypatch.setattr("trainer.training.rows.log.warning", lambda text, *values: said.append(text % values))
    rows.wait_for(2)
    assert not said
    monkeypatch.setattr(replay, "refresh", look)
    rows.wait_for(3)
    assert len(looks) == 5
    (sentence,) = said
    assert sentence == f"no new row of tictactoe in {database} for 0 s; training waits, is an actor running?"


def test_a_wait_for_rows_ends_with_the_minutes_of_the_run(
    tmp_path: Path, close_later: CloseLater, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --passes, if the actor is gone. Nobody stops the run here; each look for rows takes 25 seconds of its minute."""
    database, now = tmp_path / "replay.db", [100.0]
    close_later(ForeignDatabase(database)).add_tictactoe(2)
    config = TrainerConfig(db=database, steps=None, minutes=1, batch_size=1, passes=1)
    replay, schedule = close_later(ReplayBuffer(database, TICTACTOE)), Schedule(config)
    rows = RowSupply(replay, config, schedule, Event(), [database])
    assert rows.wait_for_first(0)

    def look(every: float) -> int:
        now[0] += 25.0
        assert now[0] < 300.0, "it waits on"
        return 0

    monkeypatch.setattr("trainer.training.schedule.time.monotonic", lambda: now[0])
    monkeypatch.setattr(replay, "refresh", look)
    schedule.begin()
    rows.wait_for(3)
    assert now == [175.0]
