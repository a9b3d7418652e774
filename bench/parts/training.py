"""A training step next to a bare PyTorch loop, and the training command next to itself without statistics."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import torch

from bench.report.result import Result, Target
from bench.support.job import Job
from bench.support.models import layer_sizes
from bench.support.training_steps import BATCHES, bare_step, buffer_of, milliseconds, our_step
from bench.support.turns import alternate
from trainer.run.folder import RunFolder
from trainer.settings.trainer import TrainerConfig

RARE = 100_000
"""An interval between two writes of `stats.json` that leaves only the write at the last step."""


def measure(job: Job) -> list[Result]:
    """The steps of two networks, then the command that users run."""
    torch.set_num_threads(1)
    return [*(measure_step(job, env_id, batch) for env_id, batch in BATCHES.items()), measure_command(job)]


def measure_step(job: Job, env_id: str, batch_size: int) -> Result:
    """Milliseconds per step, ours and the bare loop's in turns, with one thread each."""
    config = TrainerConfig(db=job.database(env_id), env_id=env_id, batch_size=batch_size)
    with closing(buffer_of(config)) as replay:
        own = our_step(replay, config)
        bare = bare_step(replay, config)
        for step in (own, bare):
            milliseconds(step, job.size.steps // 3 + 1)
        ours, theirs = alternate(
            2 * job.size.rounds,
            lambda: milliseconds(own, job.size.steps),
            lambda: milliseconds(bare, job.size.steps),
        )
    return Result(
        f"{layer_sizes(env_id)}, batch {batch_size}, {job.size.rows:,} rows",
        "ms per step",
        ours,
        "bare PyTorch loop, one thread each",
        theirs,
        Target(most=0.5),
    )


def measure_command(job: Job) -> Result:
    """`python -m trainer` with default flags from start to exit, in turns with one that writes `stats.json` only once."""
    size = job.size
    database = job.database("tictactoe", size.command_rows)
    ours, theirs = alternate(
        size.rounds,
        lambda: run_command(job, database),
        lambda: run_command(job, database, "--stats-interval", str(RARE)),
    )
    return Result(
        f"python -m trainer --steps {size.command_steps}, {size.command_rows:,} rows of tictactoe, start and end included",
        "ms per step",
        ours,
        f"the same with --stats-interval {RARE}",
        theirs,
        Target(most=1.3),
    )


def run_command(job: Job, database: Path, *flags: str) -> float:
    """Train in an empty folder; returns milliseconds per step, of the whole process."""
    steps = job.size.command_steps
    with job.scratch() as folder:
        run = RunFolder(folder)
        command = [sys.executable, "-m", "trainer", "--steps", str(steps), "--db", str(database)]
        command += ["--model-dir", str(run.models), "--stats", str(run.stats), *flags]
        began = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return 1000 * (time.perf_counter() - began) / steps
