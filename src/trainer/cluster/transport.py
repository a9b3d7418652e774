"""What a player may ask of its hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from trainer.cluster.parcel import Parcel
from trainer.cluster.roster import Statistics
from trainer.cluster.shelf import ShelvedModel
from trainer.settings.actor import ActorConfig


@dataclass(frozen=True)
class Assignment:
    """What a player gets when it joins."""

    settings: ActorConfig
    """How to play. The game is that of `rules`; paths are those of the hub's machine and mean nothing here."""
    rules: Parcel
    first_number: int
    """The number of the player's first game: the one after the largest that it has stored before."""
    network_file: bytes | None = None
    """The file of a custom network, which its models need on a GPU."""
    gpu_wanted: bool = False
    """The run was started with `--device cuda`, so a player without a GPU says so."""


class Transport(Protocol):
    """Calls to the hub, which return when it has answered.

    Each raises ConnectionError or TimeoutError if no answer came: then it is unknown whether the hub did what was asked.
    Errors of the hub itself are raised as they are: among them ReplayUnavailableError by any call, because a hub that was
    started again opens its database at the first one.
    """

    def join(self, name: str, versions: Mapping[str, str]) -> Assignment:
        """Ask to take part as the player `name`. Raises RefusedError for other versions than the hub's."""

    def store(self, sender: str, number: int, content: bytes, statistics: Statistics | None) -> None:
        """Store shipment `number` of `sender`. Raises ReplayUnavailableError if that isn't possible now."""

    def report(self, sender: str, statistics: Statistics) -> None:
        """Tell what this player did."""

    def newest_model(self, known: str | None) -> ShelvedModel | None:
        """The newest model; None if there is none, or if it is the one with the identity `known`."""
