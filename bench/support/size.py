"""How much work a run of the benchmarks does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Size:
    """The sizes and durations of all parts."""

    turn: float = 8.0
    """Seconds of a turn."""
    rounds: int = 5
    """Turns of each side."""
    simulations: int = 100
    """Simulations before each move."""
    games: int = 256
    """Games that a thread plays side by side, ours and the peers' that can do so."""
    threads: int = 2
    """Threads of our actor; processes of a peer that has one thread."""
    rows: int = 1_000_000
    """Rows of the replay database."""
    steps: int = 300
    """Training steps of a turn."""
    command_rows: int = 60_000
    """Rows that the training command is run on."""
    command_steps: int = 11_000
    """Training steps of the training command."""
    starts: int = 3
    """Starts of the actor with a warm compile cache."""
    cold_starts: int = 3
    """Starts of the actor with an empty compile cache."""
    publishings: int = 50
    """Models that are published."""
    window: int = 200_000
    """Positions that the replay database keeps while actors play."""
    train_minutes: float = 2.0
    """Minutes of training before the loop's network is measured; 0: it is measured untrained."""
    after_reload: float = 60.0
    """Seconds from the reload of a model to the first turn."""
    memory_seconds: float = 40.0
    """Seconds for which the memory of an actor is watched."""
    soak_minutes: float = 20.0
    """Minutes of the part soak."""
    cluster_minutes: float = 1.0
    """Minutes of each run of the loop in the part cluster; 0: none."""
    cluster_rounds: int = 3
    """Such runs, on the cluster and without it."""
    crowds: tuple[int, ...] = (10, 100, 1000)
    """Simulated players of the part cluster, at one hub."""
    many_hubs: tuple[int, ...] = (2, 4)
    """Hubs at which the largest of these crowds plays, too."""
    gpu_device: Literal["cpu", "cuda"] = "cuda"
    """What the part gpu measures."""
    gpu_batches: tuple[int, ...] = (256, 512, 1024)
    """Positions of a batch, and games of a thread, in the part gpu."""
    gpu_threads: tuple[int, ...] = (1, 16, 32)
    """Threads in the part gpu."""
    gpu_cores: int = 16
    """Threads of the actor that the part gpu compares with."""
    gpu_seconds: float = 1.0
    """Seconds for which evaluations alone are measured."""
    gpu_loop_minutes: float = 3.0
    """Minutes of the loop on a GPU; 0: none."""
    gpu_solve_simulations: int = 600
    """Simulations per move with which its model is measured."""
    gpu_training_batches: tuple[int, ...] = (512, 2048)
    """Rows of a training step in the part gpu."""
    gpu_steps: int = 200
    """Training steps of a turn in the part gpu."""
    every_game: bool = True
    """The parts games and memory measure every game, not only tic-tac-toe."""


FULL = Size()
TINY = Size(
    turn=0.3,
    rounds=1,
    simulations=8,
    games=8,
    threads=1,
    rows=2000,
    steps=5,
    command_rows=500,
    command_steps=20,
    starts=1,
    cold_starts=0,
    publishings=3,
    window=1000,
    train_minutes=0,
    after_reload=0.3,
    memory_seconds=0.3,
    soak_minutes=0.1,
    cluster_minutes=0,
    crowds=(3,),
    many_hubs=(2,),
    gpu_device="cpu",
    gpu_batches=(8,),
    gpu_threads=(2,),
    gpu_cores=1,
    gpu_seconds=0.1,
    gpu_loop_minutes=0,
    gpu_training_batches=(8,),
    gpu_steps=2,
    every_game=False,
)
"""For tests of the benchmarks themselves; the numbers mean nothing."""
