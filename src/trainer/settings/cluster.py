"""The settings of self-play on a Ray cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainer.settings.actor import ActorConfig
from trainer.settings.base import Settings, fixed
from trainer.settings.validation import require, require_at_least


@dataclass(frozen=True)
class ClusterSettings(Settings):
    """Which machines play."""

    ray: str | None = None
    """Play on the machines of a Ray cluster, which this one is part of, instead of on this machine alone: `auto`, or the
    address of the cluster's head such as 10.0.0.5:6379. Whoever can reach a Ray cluster can run code on its machines, so
    keep it in a network of your own. None: no cluster."""
    players: int | Literal["all"] = "all"
    """With --ray: the number of machines that play, each with all its cores; `all`: every one, also those that join later. A
    cluster with an autoscaler is asked for as many machines as are missing."""

    replay_shards: int | None = fixed(None)
    """With --ray: store the games in this many databases, replay-0.db, replay-1.db and so on, each written by a process of
    its own. For clusters that make more positions than one process stores: 41,000 to 95,000 per second, depending on
    how many players send them (docs/cluster.md). None: one, replay.db."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 1, "replay_shards")
        require(
            self.ray is not None or self.replay_shards is None,
            f"--replay-shards is {self.replay_shards}, and only a Ray cluster writes several databases; give --ray too "
            f"(ray start --head makes a cluster of one machine)",
        )
        require(
            self.ray is None or bool(self.ray.strip()),
            "--ray is empty; give auto, or the address of the head of a cluster, such as 10.0.0.5:6379",
        )
        require(
            self.ray is None or not self.ray.startswith("ray://"),
            f"--ray is {self.ray}; start the loop on a machine of the cluster and give auto, because ray:// is too slow",
        )
        require(
            self.players == "all" or (isinstance(self.players, int) and self.players >= 1),
            f"--players is {self.players}; give all, or a number of machines from 1",
        )
        require(
            self.ray is not None or self.players == "all",
            f"--players is {self.players}, and only a Ray cluster has several; give --ray too",
        )


@dataclass(frozen=True)
class ClusterConfig(ClusterSettings, ActorConfig):
    """Play on a Ray cluster and store the games in the replay database, until stopped. The loop starts this."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        ClusterSettings.check(self)
        ActorConfig.check(self)
