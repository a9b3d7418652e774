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

    config = ClusterConfig(data_dir=tmp_path, replay_db_path=tmp_path / "replay.db", replay_window=100)
    assert settings_of_hubs(config) == [config]
    several = settings_of_hubs(ClusterConfig(**vars(config) | {"ray": "auto", "replay_shards": 3}))
    assert [(one.replay_db_path.name, one.replay_window) for one in several] == [
        (f"replay-{number}.db", 34) for number in range(3)
    ]


@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")
@pytest.mark.parametrize("shards", [None, 2])
def test_what_a_hub_is_told_does_not_depend_on_its_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: int | None
) -> None:
    """Ray starts it where `ray start` ran. The paths of the run, of its databases and of a network are absolute."""
    from trainer.cluster.on_ray.driver import settings_of_hubs

    monkeypatch.chdir(tmp_path)
    run = Path("run")
    config = ClusterConfig(
        ray="auto",
        replay_shards=shards,
        data_dir=run,
        replay_db_path=run / "replay.db",
        network_file=Path("network.py"),
    )
    hubs = settings_of_hubs(config)
    assert {(hub.data_dir, hub.network_file) for hub in hubs} == {(tmp_path / "run", tmp_path / "network.py")}
    names = ["replay.db"] if shards is None else ["replay-0.db", "replay-1.db"]
    assert [hub.replay_db_path for hub in hubs] == [tmp_path / "run" / name for name in names]
