"""Which replay databases a command is given, and which a run has."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.core.errors import ConfigError
from trainer.run.databases import databases_of
from trainer.run.folder import RunFolder


def test_a_pattern_names_databases_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Each once; brackets are part of a name, and so is a star if there is such a file."""
    for name in ("replay-10.db", "replay-9.db", "replay-9.db-wal", "replay-[1].db", "odd*.db", "oddly.db"):
        (tmp_path / name).touch()
    replays = [tmp_path / name for name in ("replay-9.db", "replay-10.db", "replay-[1].db")]
    assert databases_of(tmp_path / "replay-*.db") == tuple(replays)
    assert databases_of([replays[1], tmp_path / "replay-*.db"]) == (replays[1], replays[0], replays[2])
    assert databases_of(tmp_path / "replay-[1]*.db") == (replays[2],)
    assert databases_of(tmp_path / "odd*.db") == (tmp_path / "odd*.db",)
    assert databases_of(tmp_path / "[none].db") == (tmp_path / "[none].db",)
    with pytest.raises(ConfigError, match=r"--db .*none\*\.db finds no file"):
        databases_of(tmp_path / "none*.db")


def test_a_run_has_one_database_or_numbered_ones(tmp_path: Path) -> None:
    """Whatever it was begun with."""
    run = RunFolder(tmp_path)
    assert run.databases == []
    assert run.shards(None) == (tmp_path / "replay.db",)
    assert run.shards(2) == (tmp_path / "replay-0.db", tmp_path / "replay-1.db")
    for name in ("replay-10.db", "replay-2.db", "replay.db", "replay-x.db"):
        (tmp_path / name).touch()
    assert [path.name for path in run.databases] == ["replay.db", "replay-2.db", "replay-10.db"]
