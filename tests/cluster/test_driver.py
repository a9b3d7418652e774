"""The process that drives a cluster, beside fakes of all that is Ray's."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Literal
from unittest.mock import MagicMock

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install -e ".[cluster]"')

from trainer.cluster.on_ray import driver, fleet
from trainer.core.errors import ReplayUnavailableError, WaitTimeoutError
from trainer.core.log import Trouble
from trainer.settings.cluster import ClusterConfig


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterConfig:
    """Of a run on a cluster that has a hub and room, but no nodes. Its hub answers at once."""
    for name in ("ray", "require_room", "leave_with_head", "this_node", "start_hub", "answer_of"):
        monkeypatch.setattr(driver, name, MagicMock())
    monkeypatch.setattr(driver, "is_ready", lambda reply: True)
    monkeypatch.setattr(driver, "nodes", list)
    return ClusterConfig(ray="auto", data_dir=tmp_path, replay_db_path=tmp_path / "replay.db")


@pytest.mark.parametrize(("players", "taken_back"), [(2, [[]]), ("all", [])])
def test_what_a_killed_driver_asked_an_autoscaler_for_is_taken_back(
    players: Literal["all"] | int,
    taken_back: list[list[object]],
    config: ClusterConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the start of a driver that asks itself: the cluster has one request, which may be that of another run. At the end
    there is nothing to take back, because nothing was asked for."""
    asked: list[list[dict[str, int]]] = []
    monkeypatch.setattr(fleet, "request_resources", lambda bundles: asked.append(bundles))
    stop = Event()
    stop.set()
    driver.drive(replace(config, players=players), "auto", stop)
    assert asked == taken_back


def test_ctrl_c_is_heeded_while_a_hub_starts(config: ClusterConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is asked to close all the same, because it may have opened its database by then."""
    hub, stop = MagicMock(), Event()

    def not_yet(reply: object) -> bool:
        stop.set()
        return False

    monkeypatch.setattr(driver, "start_hub", lambda *_: hub)
    monkeypatch.setattr(driver, "is_ready", not_yet)
    monkeypatch.setattr(driver, "need_no_nodes", lambda: None)
    driver.drive(config, "auto", stop)
    hub.close.remote.assert_called_once_with()


def test_a_hub_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its database, and where to look."""
    monkeypatch.setattr(driver, "HUB_SECONDS", 0.0)
    monkeypatch.setattr(driver, "HUB_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(driver, "is_ready", lambda reply: False)
    with pytest.raises(WaitTimeoutError) as refusal:
        driver.await_hub(MagicMock(), Path("/run/replay-1.db"), Event())
    assert str(refusal.value) == (
        "the hub, which is to store games in /run/replay-1.db, has not answered within 0 s; see whether that "
        "disk answers, and what Ray's own logs say (/tmp/ray/session_latest/logs), then start again"
    )


def test_a_hub_that_ends_is_reported_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """With its database and what Ray says; and once more when it is back. A full disk is the players' to report."""
    caplog.set_level(logging.INFO)
    answers = [ConnectionError("it was killed"), ConnectionError("not yet"), ReplayUnavailableError("full"), None, None]

    def answer(reply: object) -> None:
        if failure := answers.pop(0):
            raise failure

    monkeypatch.setattr(driver, "answer_of", answer)
    trouble = Trouble(driver.log)
    while answers:
        driver.note_answer(None, Path("/run/replay-1.db"), trouble)
    assert caplog.messages == [
        "the hub that stores games in /run/replay-1.db has ended (it was killed); Ray starts it again",
        "the hub that stores games in /run/replay-1.db is back",
    ]
