"""The players of a cluster, and what each did: the hub's part of actor_stats.json."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from trainer.core.processes import process_space
from trainer.run.actor_stats_file import CLUSTER, SILENCE, WriteTrouble, has_ended, write_actors

log = logging.getLogger(__name__)

Statistics = Mapping[str, Any]
"""The fields of an ActorStats."""


class Roster:
    """Who has been heard of, and when. Several threads may use it."""

    def __init__(self, path: Path, env_id: str, clock: Callable[[], float] = time.time) -> None:
        """`path` is that of actor_stats.json; `clock` tells the time in Unix seconds."""
        self._path = path
        self._env_id = env_id
        self._clock = clock
        self._lock = Lock()
        self._players: dict[str, dict[str, Any]] = {}
        self._present: set[str] = set()
        self._trouble = WriteTrouble()

    def heard(self, player: str, statistics: Statistics | None = None) -> None:
        """A player has just been heard of, and says what it did."""
        with self._lock:
            if statistics is not None:
                self._players[player] = {**statistics, "space": CLUSTER}
            if player in self._players:
                self._players[player]["timestamp"] = int(self._clock())

    def publish(self) -> None:
        """Write actor_stats.json, and log who has come and who has fallen silent since the last call."""
        now, here = int(self._clock()), process_space()
        with self._lock:
            self._players = {
                name: player for name, player in self._players.items() if player["timestamp"] >= now - SILENCE
            }
            players = {name: dict(player) for name, player in self._players.items()}
        present = {name for name, player in players.items() if not has_ended(player, now, here)}
        for name in sorted(present - self._present):
            log.info("%s on %s plays", name, players[name]["host"])
        for name in sorted(self._present - present):
            log.info("%s is silent; %d players are left", name, len(present))
        self._present = present
        with self._trouble.reported():
            write_actors(self._path, self._env_id, players, now)
