"""How much work a run of the suite does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """The dials of all parts."""

    turn: float = 8.0
    """Seconds of a turn of something that runs for as long as one likes."""
    rounds: int = 5
    """Turns of each."""
    simulations: int = 100
    """Simulations of the search before each move."""
    games: int = 256
    """Games side by side, in ours and in the peers that can."""
    threads: int = 2
    """Threads of ours, processes of the peers that have one thread."""
    rows: int = 1_000_000
    """Rows in the replay database and in memory."""
    steps: int = 300
    """Training steps of a turn."""
    starts: int = 3
    """Starts of the actor with a warm compile cache."""
    cold_starts: int = 3
    """Starts without."""
    publishings: int = 50
    window: int = 200_000
    """Positions kept by the database whose growth is watched."""
    train_minutes: float = 2.0
    """How long the networks of parts `cache` and `int8` are trained; 0: not at all."""
    after_reload: float = 60.0
    """Seconds from the reload of a model to the first turn."""
    soak_minutes: float = 20.0


FULL = Size()
TINY = Size(
    turn=0.3,
    rounds=1,
    simulations=8,
    games=8,
    threads=1,
    rows=2000,
    steps=5,
    starts=1,
    cold_starts=0,
    publishings=3,
    window=1000,
    train_minutes=0,
    after_reload=0.3,
    soak_minutes=0.1,
)
"""For tests of the suite itself: its figures say nothing."""
