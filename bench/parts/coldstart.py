"""Seconds from the start of the actor to its first stored game, with a warm and with an empty compile cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.report.result import Result, Target
from bench.support.actors import flags_of
from bench.support.job import Job
from bench.support.models import publish_model
from bench.support.workload import wait_until
from trainer.core.json_values import read_json_object
from trainer.run.folder import RunFolder


def measure(job: Job) -> list[Result]:
    """Connect 4 with a model; the best of several starts."""
    with job.scratch() as folder:
        cold = [seconds_to_first_game(job, folder, empty=True) for _ in range(job.size.cold_starts)]
        warm = [seconds_to_first_game(job, folder) for _ in range(1 + job.size.starts)][1:]
    results = [Result("first stored game, warm compile cache", "s", warm, target=Target(most=3), pick="least")]
    if cold:
        results.append(Result("first stored game, no compile cache", "s", cold, target=Target(most=45), pick="least"))
    return results


def seconds_to_first_game(job: Job, folder: Path, empty: bool = False) -> float:
    """Start the actor in a new run and wait for a game; `empty`: with an empty compile cache of its own.

    Raises RuntimeError if none comes.
    """
    cache, run = folder / "cache", RunFolder(folder / "run")
    publish_model("connect4", run.path)
    size = job.size
    command = [sys.executable, "-m", "trainer.actor", "--env-id", "connect4", "--log-level", "ERROR"]
    command += flags_of(data_dir=run.path, replay_db_path=run.replay)
    command += flags_of(simulations=size.simulations, games=size.games, threads=size.threads)
    environment = os.environ | ({"CARTRIDGE_CACHE": str(cache)} if empty else {})
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(
                lambda: (read_json_object(run.actor_stats) or {}).get("episodes_completed", 0) > 0,
                "the actor stores no game",
                process,
            )
            seconds = time.monotonic() - began
        finally:
            process.kill()
    shutil.rmtree(run.path)
    shutil.rmtree(cache, ignore_errors=True)
    return seconds
