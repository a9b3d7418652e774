"""Games to send to a hub, and a network between a player and its hub that fails as networks do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from play import finished

from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.cluster.hub import Hub
from trainer.cluster.shelf import ShelvedModel
from trainer.cluster.transport import Assignment
from trainer.settings.actor import ActorConfig


@cache
def random_games(env_id: str, count: int, seed: int = 1) -> tuple[PlayedGame, ...]:
    """Games of random moves, numbered from 0."""
    return tuple(finished(SelfPlay(env_id, 32, iter(range(count)), seed, "a"), None).values())


def hub_in(folder: Path, env_id: str = "tictactoe", **changed: Any) -> Hub:
    """The hub of a run in a folder."""
    return Hub(ActorConfig(env_id=env_id, data_dir=folder, replay_db_path=folder / "replay.db", **changed))


class Reliable:
    """Calls the hub directly. `hub` may be replaced by another one."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def join(self, name: str, versions: Mapping[str, str]) -> Assignment:
        return self.hub.join(name, versions)

    def store(self, sender: str, number: int, content: bytes, statistics: Mapping[str, Any] | None) -> None:
        self.hub.store(sender, number, content, statistics)

    def report(self, sender: str, statistics: Mapping[str, Any]) -> None:
        self.hub.report(sender, statistics)

    def newest_model(self, known: str | None) -> ShelvedModel | None:
        return self.hub.newest_model(known)


class Unreliable(Reliable):
    """Loses a shipment or its reply, delivers it twice or later, and changes the order of those that are late."""

    def __init__(self, hub: Hub, generator: np.random.Generator, sound: float = 0.4) -> None:
        """`sound` is the share of shipments that are simply delivered; it may be changed."""
        super().__init__(hub)
        self._generator = generator
        self.sound = sound
        self._late: list[partial[None]] = []
        self.faults = dict.fromkeys(("lost", "reply lost", "twice", "late"), 0)

    def store(self, sender: str, number: int, content: bytes, statistics: Mapping[str, Any] | None) -> None:
        deliver = partial(self._deliver, sender, number, content, statistics)
        while self._late and self._generator.random() < 0.3:
            self._late.pop(int(self._generator.integers(len(self._late))))()  # its sender gave up waiting for the reply
        if self._generator.random() < self.sound:
            return deliver()
        fault = str(self._generator.choice(list(self.faults)))
        self.faults[fault] += 1
        if fault == "twice":
            deliver()
            return deliver()
        if fault == "reply lost":
            deliver()
        elif fault == "late":
            self._late.append(deliver)
        raise (ConnectionError if self._generator.random() < 0.5 else TimeoutError)("no answer")

    def _deliver(self, *arguments: Any) -> None:
        super().store(*arguments)

    def deliver_the_rest(self) -> None:
        """Whatever is still on the way arrives."""
        for deliver in self._late:
            deliver()
        self._late = []
