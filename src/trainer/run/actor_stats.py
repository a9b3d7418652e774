"""What one actor did since it started, and what all actors of a run did."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.core.processes import process_space

COUNTS = ("episodes_completed", "total_steps", "opening_plies", "simulations", "player1_wins", "player2_wins", "draws")
"""The fields of an actor that stay when it ends."""
RATES = ("episodes_per_second", "positions_per_second", "simulations_per_second")
"""Those that are 0 once it has ended."""


@dataclass
class ActorStats:
    """What one actor did since it started."""

    env_id: str
    episodes_completed: int = 0
    total_steps: int = 0
    """Stored positions."""
    opening_plies: int = 0
    """Random moves before them, which are not stored."""
    simulations: int = 0
    player1_wins: int = 0
    player2_wins: int = 0
    draws: int = 0
    episodes_per_second: float = 0.0
    positions_per_second: float = 0.0
    simulations_per_second: float = 0.0
    runtime_seconds: float = 0.0
    mcts_avg_inference_us: float = 0.0
    """Mean microseconds per row of the batches that models were called with, without what kernels evaluate by themselves."""
    model_step: int | None = None
    timestamp: int = 0
    process: int = field(default_factory=os.getpid)
    space: str = field(default_factory=process_space)
    """The machine and container in which that is its process id."""
    host: str = field(default_factory=socket.gethostname)
    """Name of its machine."""
    back_pressure: float | None = None
    """Share of the last seconds, 0 to 1, in which a call waited for the hub; None for an actor that isn't in a cluster."""
    start: str = field(default_factory=lambda: secrets.token_hex(4))
    """Distinguishes it from earlier actors with its name, even with the same process id."""


@dataclass(frozen=True)
class ActorTotals:
    """What all actors of a run did, the top level of actor_stats.json: counts and rates summed, averages weighted."""

    env_id: str
    episodes_completed: int = 0
    total_steps: int = 0
    simulations: int = 0
    player1_wins: int = 0
    player2_wins: int = 0
    draws: int = 0
    avg_episode_length: float = 0.0
    """Moves per game, with the random ones that open it."""
    episodes_per_second: float = 0.0
    positions_per_second: float = 0.0
    simulations_per_second: float = 0.0
    runtime_seconds: float = 0.0
    """Of the actor that has run longest."""
    mcts_avg_inference_us: float = 0.0
    timestamp: int = 0

    @classmethod
    def of(cls, env_id: str, actors: Sequence[Mapping[str, Any]]) -> ActorTotals:
        """The totals of actors, each the fields of an ActorStats; zeros without actors."""
        # An entry of an earlier version may lack a count.
        sums = {name: sum(actor.get(name, 0) for actor in actors) for name in (*COUNTS, *RATES)}
        episodes, plies = sums["episodes_completed"], sums["total_steps"] + sums.pop("opening_plies")
        weights = [max(actor.get("total_steps", 0), 1) for actor in actors]
        waits = [actor["mcts_avg_inference_us"] for actor in actors]
        return cls(
            env_id,
            avg_episode_length=plies / episodes if episodes else 0.0,
            runtime_seconds=max((actor["runtime_seconds"] for actor in actors), default=0.0),
            mcts_avg_inference_us=sum(w * v for w, v in zip(weights, waits, strict=True)) / (sum(weights) or 1),
            timestamp=max((actor["timestamp"] for actor in actors), default=0),
            **sums,
        )
