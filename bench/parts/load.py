"""Loading a replay database into the trainer's memory, and how soon a new game is seen there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from itertools import count
from pathlib import Path

from bench.report.result import Result, Target
from bench.support.job import Job
from bench.support.random_games import random_episodes
from bench.support.training_steps import buffer_of
from bench.support.workload import PATIENCE, wait_until
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import ReplayWriter
from trainer.settings.trainer import TrainerConfig
from trainer.training.rows import REFRESH_SECONDS


def measure(job: Job) -> list[Result]:
    """Connect 4, each load in a process of its own."""
    path = job.database("connect4")
    path.read_bytes()  # into the system's file cache
    loads = [load(path) for _ in range(max(3, job.size.rounds))]
    rows = f"{job.size.rows:,} rows"
    return [
        Result(
            f"{rows} from a cached file", "s", [one["seconds"] for one in loads], target=Target(most=5), pick="least"
        ),
        Result(f"resident memory of {rows}", "MiB", [one["mib"] for one in loads], target=Target(most=600)),
        Result("a new game is seen after", "s", delays(job), target=Target(most=1), pick="most"),
    ]


def load(path: Path) -> dict[str, float]:
    """Load a database with `bench.support.load_replay`; returns what it measured."""
    command = [sys.executable, "-m", "bench.support.load_replay", str(path), "connect4"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def delays(job: Job) -> list[float]:
    """Seconds until a trainer that looks as often as ours has a new game, for several games."""
    seconds = []
    with job.scratch() as folder:
        path = folder / "replay.db"
        with closing(ReplayWriter(path, metadata_of(game_of("connect4")))) as writer:
            games = random_episodes("connect4", count())
            writer.write([next(games)])
            replay = buffer_of(TrainerConfig(db=path, env_id="connect4"))
            for _ in range(max(3, job.size.rounds)):
                time.sleep(0.05)
                writer.write([next(games)])
                began = time.monotonic()
                wait_until(lambda: replay.refresh(every=REFRESH_SECONDS), "the new game isn't seen", every=0.001)
                seconds.append(time.monotonic() - began)
            replay.close()
    return seconds
