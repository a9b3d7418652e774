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
