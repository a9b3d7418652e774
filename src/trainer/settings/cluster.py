"""The settings of self-play on a Ray cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainer.settings.actor import ActorConfig
from trainer.settings.base import Settings
from trainer.settings.validation import require


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

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require(
            self.ray is None or bool(self.ray.strip()),
            "--ray is empty; give auto, or the address of the head of a cluster, such as 10.0.0.5:6379",
        )
        require(
            self.ray is None or not self.ray.startswith("ray://"),
            f"--ray is {self.ray}; start the loop on a machine of the cluster and give auto, because ray:// is too slow",
        )
        require(
            self.players == "all" or self.players >= 1,
            f"--players is {self.players}; give all, or a number of machines from 1",
        )


@dataclass(frozen=True)
class ClusterConfig(ClusterSettings, ActorConfig):
    """Play on a Ray cluster and store the games in the replay database, until stopped. The loop starts this."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        ClusterSettings.check(self)
        ActorConfig.check(self)
