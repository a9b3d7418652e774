"""Several hubs, each with a database of its own."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from trainer.launch.local import trainer_config
from trainer.settings.cluster import ClusterConfig
from trainer.settings.loop import LoopConfig


def test_the_trainer_reads_what_the_hubs_write(tmp_path: Path) -> None:
    """In the order of their numbers; without the flag one database as ever."""
    assert trainer_config(LoopConfig(data_dir=tmp_path)).db == (tmp_path / "replay.db",)
    config = LoopConfig(data_dir=tmp_path, ray="auto", replay_shards=2)
    assert trainer_config(config).db == (tmp_path / "replay-0.db", tmp_path / "replay-1.db")


@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")
def test_the_hubs_share_the_window(tmp_path: Path) -> None:
    """Each has its database and a third of the rows, rounded up."""
    from trainer.cluster.on_ray.driver import settings_of_hubs

    config = ClusterConfig(replay_db_path=tmp_path / "replay.db", replay_window=100)
    assert settings_of_hubs(config) == [config]
    several = settings_of_hubs(ClusterConfig(**vars(config) | {"ray": "auto", "replay_shards": 3}))
    assert [(one.replay_db_path.name, one.replay_window) for one in several] == [
        (f"replay-{number}.db", 34) for number in range(3)
    ]
