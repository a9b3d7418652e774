"""The players of a cluster, as `actor_stats.json` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.core.json_values import is_number
from trainer.run.actor_stats_file import CLUSTER, actors_in, has_ended


@dataclass(frozen=True)
class PlayerRow:
    """What a player of a cluster does now."""

    name: str
    host: str
    """Name of its machine."""
    episodes_per_second: float
    positions_per_second: float
    model_step: int | None
    """The training step of its model; None: it has none yet."""
    timestamp: int
    """When the hub last heard from it, Unix seconds."""
    back_pressure: float
    """Share of the last seconds, 0 to 1, in which it waited for the hub."""


def players_in(content: Mapping[str, Any], now: float) -> list[PlayerRow]:
    """The players of a cluster in actor_stats.json that have not ended by `now` (Unix seconds), ordered by name."""
    return [
        PlayerRow(
            name=name,
            host=str(actor.get("host")),
            episodes_per_second=float(actor["episodes_per_second"]),
            positions_per_second=float(actor["positions_per_second"]),
            model_step=actor["model_step"] if isinstance(actor.get("model_step"), int) else None,
            timestamp=int(actor["timestamp"]),
            back_pressure=float(actor["back_pressure"]) if is_number(actor.get("back_pressure")) else 0.0,
        )
        for name, actor in sorted(actors_in(content).items())
        if actor.get("space") == CLUSTER and not has_ended(actor, int(now), "")
    ]
