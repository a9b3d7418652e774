"""Actor and trainer for twenty minutes: as fast and as large at the end as near the beginning."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack
from statistics import median

import psutil

from bench.job import Job
from bench.measured import Result, Target
from trainer.actor_stats import ACTOR_STATS_FILE
from trainer.files import read_json_object
from trainer.loop import LoopConfig, actor_arguments, trainer_arguments

MIB = 2**20
EARLY, LATE = (0.15, 0.30), (0.85, 1.0)
"""Shares of the time: minutes 3 to 6 and the last 3 of 20."""
LOOKS = 200


def measure(job: Job) -> list[Result]:
    """Connect 4 as the loop plays and trains it, without its evaluations."""
    seconds = 60 * job.size.soak_minutes
    looks: list[tuple[float, int, float]] = []  # share of the time, simulations, resident MiB
    with job.scratch() as folder, ExitStack() as stack:
        config = LoopConfig(
            env_id="connect4",
            data_dir=folder,
            minutes=2 * job.size.soak_minutes,
            threads=job.size.threads,
            simulations=job.size.simulations,
            replay_window=job.size.window,
            log_level="ERROR",
        )
        environment = os.environ | {"CARTRIDGE_PARENT": str(os.getpid())}
        processes = []
        for command in (trainer_arguments(config), actor_arguments(config)):
            started = stack.enter_context(subprocess.Popen(command, env=environment))
            stack.callback(started.terminate)
            processes.append(psutil.Process(started.pid))
        stats = folder / ACTOR_STATS_FILE
        while (read_json_object(stats) or {}).get("simulations", 0) == 0:
            if not all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
                raise RuntimeError("the actor or the trainer ended at its start; what they said stands above")
            time.sleep(0.1)
        began = time.monotonic()
        while (gone := time.monotonic() - began) < seconds:
            time.sleep(seconds / LOOKS)
            resident = sum(process.memory_info().rss for process in processes) / MIB
            looks.append((gone / seconds, (read_json_object(stats) or {})["simulations"], resident))

    def within(span: tuple[float, float]) -> tuple[float, float]:
        """Simulations a second and median resident memory."""
        chosen = [look for look in looks if span[0] <= look[0] <= span[1]]
        (first, done, _), (last, later, _) = chosen[0], chosen[-1]
        return (later - done) / ((last - first) * seconds), median(look[2] for look in chosen)

    (early_rate, early_memory), (late_rate, late_memory) = within(EARLY), within(LATE)
    span = f"{job.size.soak_minutes:g} minutes, window {job.size.window:,}"
    near = "minutes 3 to 6 of 20"
    return [
        Result(f"self-play at the end of {span}", "simulations/s", [late_rate], near, [early_rate], Target(0.9, 1.1)),
        Result("resident memory, actor and trainer", "MiB", [late_memory], near, [early_memory], Target(0.95, 1.05)),
    ]
