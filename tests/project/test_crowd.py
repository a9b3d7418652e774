"""The benchmark of hubs counts what its simulated players play. The time is a number here, which only waiting changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pytest

pytest.importorskip("ray", reason='needs Ray: pip install -e ".[cluster]"')

from bench.support import crowd
from bench.support.crowd import SIZES, Recorded, play

START, ANSWER = 5.0, 0.01
"""Seconds until a new hub has stored its first shipment, and how long each takes from then on."""
ROWS = 20
"""Of each game."""


@dataclass(frozen=True, eq=False)
class Reply:
    """Comes at a time."""

    at: float


class Machine:
    """A clock, a Ray whose calls wait by that clock, and a hub that takes long to store its first shipment."""

    def __init__(self) -> None:
        self.now = 0.0
        self.store = self
        self._ready: float | None = None

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.now += seconds

    def options(self, concurrency_group: str) -> Machine:
        """The method with these options."""
        return self

    def remote(self, sender: str, number: int, content: bytes, statistics: None) -> Reply:
        """Store a shipment."""
        if self._ready is None:
            self._ready = self.now + START
        return Reply(max(self.now, self._ready) + ANSWER)

    def get(self, replies: Reply | Sequence[Reply]) -> None:
        """Wait for all of them."""
        for reply in [replies] if isinstance(replies, Reply) else replies:
            self.now = max(self.now, reply.at)

    def wait(
        self, replies: Sequence[Reply], num_returns: int, timeout: float, fetch_local: bool
    ) -> tuple[list[Reply], list[Reply]]:
        """Wait for so many seconds; those that came, and the others."""
        self.now += timeout
        return [one for one in replies if one.at <= self.now], [one for one in replies if one.at > self.now]


class Games:
    """Shipments of games that all have ROWS rows."""

    rows_per_game = ROWS

    def take(self, most: int, first: int) -> tuple[int, int, bytes]:
        """As `Recorded.take`."""
        size = next(size for size in SIZES if size <= most)
        return size, size * ROWS, b""


def test_what_piles_up_while_a_hub_starts_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten players of 300 rows per second each store 3,000, and not the games of five seconds on top."""
    machine = Machine()
    monkeypatch.setattr(crowd, "time", machine)
    monkeypatch.setattr(crowd, "ray", machine)
    found = play([machine], 10, 300, 16, cast(Recorded, Games()))
    assert found.offered == 3000
    assert found.stored == pytest.approx(3000, rel=0.03)
    assert max(found.answers) < 1
