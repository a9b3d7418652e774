"""The process that drives a cluster, beside fakes of all that is Ray's."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from unittest.mock import MagicMock

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install -e ".[cluster]"')

from trainer.cluster.on_ray import driver, fleet
from trainer.settings.cluster import ClusterConfig


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterConfig:
    """Of a run on a cluster that has a hub and room, but no nodes. Its hub answers at once."""
    for name in ("ray", "require_room", "leave_with_head", "this_node", "start_hub", "answer_of"):
        monkeypatch.setattr(driver, name, MagicMock())
    monkeypatch.setattr(driver, "is_ready", lambda reply: True)
    monkeypatch.setattr(driver, "nodes", list)
    return ClusterConfig(ray="auto", data_dir=tmp_path, replay_db_path=tmp_path / "replay.db")


def test_what_a_killed_driver_asked_an_autoscaler_for_is_taken_back(
    config: ClusterConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, whatever `--players` is. At the end there is nothing to take back, because nothing was asked for."""
    asked: list[list[dict[str, int]]] = []
    monkeypatch.setattr(fleet, "request_resources", lambda bundles: asked.append(bundles))
    stop = Event()
    stop.set()
    driver.drive(config, "auto", stop)
    assert asked == [[]]
