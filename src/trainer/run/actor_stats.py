"""What one actor did since it started."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass, field

from trainer.core.processes import process_space


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
