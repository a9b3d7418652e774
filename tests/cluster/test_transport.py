"""A player's calls to its hub over Ray, if the hub answers late."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install -e ".[cluster]"')

from ray.exceptions import ObjectStoreFullError

from trainer.cluster.on_ray import hub

STATISTICS = {"positions_per_second": 5.0}


class LateHub:
    """The handle of a hub, and the clock. `store` and `report` are the seconds after which it answers such a call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: float, report: float = 0.0) -> None:
        self.now = 0.0
        self.after = {"store": store, "report": report}
        self.calls: list[tuple[str, float]] = []
        self.full = False
        """Whether a report can't even be sent."""
        self.store = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._store))
        self.report = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._report))
        monkeypatch.setattr(hub, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(hub.ray, "wait", self._wait)
        monkeypatch.setattr(hub.ray, "get", lambda reply, timeout: None)

    def _store(self, sender: str, number: int, content: bytes, statistics: object) -> float:
        return self._call("store")

    def _report(self, sender: str, statistics: object) -> float:
        assert statistics == STATISTICS
        if self.full:
            raise ObjectStoreFullError("no room")
        return self._call("report")

    def _call(self, method: str) -> float:
        """The reply: when it comes."""
        self.calls.append((method, self.now))
        return self.now + self.after[method]

    def _wait(self, replies: list[float], timeout: float) -> tuple[list[float], list[float]]:
        (reply,) = replies
        if reply > self.now + timeout:
            self.now += timeout
            return [], replies
        self.now = max(self.now, reply)
        return replies, []


def test_a_player_that_waits_for_its_shipment_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every two seconds: the hub takes it for gone after six. Not if it has nothing to say yet, or is answered soon."""
    busy = LateHub(monkeypatch, store=7.0)
    transport = hub.RayTransport(busy)
    transport.store("player-a", 1, b"", STATISTICS)
    assert busy.calls == [("store", 0.0), ("report", 2.0), ("report", 4.0), ("report", 6.0)]
    assert busy.now == 7.0
    transport.store("player-a", 2, b"", None)
    busy.after["store"] = 1.0
    transport.store("player-a", 3, b"", STATISTICS)
    assert busy.calls[4:] == [("store", 7.0), ("store", 14.0)]


def test_one_shipment_and_one_report_are_in_flight_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """After twenty seconds without an answer the player is told so; then it waits for the same reply."""
    silent = LateHub(monkeypatch, store=50.0, report=50.0)
    transport = hub.RayTransport(silent)
    for end in (20.0, 40.0):
        with pytest.raises(TimeoutError, match=r"^no answer within 20 s$"):
            transport.store("player-a", 1, b"", STATISTICS)
        assert silent.now == end
    transport.store("player-a", 1, b"", STATISTICS)
    assert silent.now == 50.0
    assert silent.calls == [("store", 0.0), ("report", 2.0), ("report", 22.0), ("report", 42.0)]


def test_a_report_that_can_not_be_sent_does_not_send_the_shipment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reply is still waited for."""
    busy = LateHub(monkeypatch, store=7.0)
    busy.full = True
    hub.RayTransport(busy).store("player-a", 1, b"", STATISTICS)
    assert (busy.calls, busy.now) == ([("store", 0.0)], 7.0)
