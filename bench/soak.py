"""Actor and trainer for twenty minutes: as fast and as large at the end as near the beginning."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import numpy as np
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
TO_SORT = np.random.default_rng(0).permutation(500_000)


@dataclass(frozen=True)
class Look:
    """What was seen at one moment."""

    share: float
    """Of the whole time that was gone."""
    seconds: float
    simulations: int
    resident: float
    """MiB of both processes."""
    used: tuple[float, float]
    """Seconds of a core that the trainer and the actor had used."""
    machine: float
    """Sorts a second of a core that the machine did at the moment, beside both: its own speed, which comes and goes."""


def machine_speed() -> float:
    """Sorts of a fixed array in a second of a core."""
    began = time.thread_time()
    np.sort(TO_SORT)
    return 1 / (time.thread_time() - began)


def measure(job: Job) -> list[Result]:
    """Connect 4 as the loop plays and trains it, without its evaluations."""
    seconds = 60 * job.size.soak_minutes
    looks: list[Look] = []
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
            trainer, actor = (process.cpu_times() for process in processes)
            used = (trainer.user + trainer.system, actor.user + actor.system)
            done = (read_json_object(stats) or {})["simulations"]
            looks.append(Look(gone / seconds, time.monotonic() - began, done, resident, used, machine_speed()))

    def within(span: tuple[float, float]) -> list[Look]:
        return [look for look in looks if span[0] <= look.share <= span[1]]

    def cores(chosen: list[Look]) -> str:
        gone = chosen[-1].seconds - chosen[0].seconds
        trainer, actor = ((last - first) / gone for first, last in zip(chosen[0].used, chosen[-1].used, strict=True))
        return f"{actor:.2f} cores for the actor and {trainer:.2f} for the trainer"

    early, late = within(EARLY), within(LATE)
    early_rate, late_rate = rate(early), rate(late)
    early_speed, late_speed = (median(look.machine for look in chosen) for chosen in (early, late))
    early_memory, late_memory = (median(look.resident for look in chosen) for chosen in (early, late))
    span = f"{job.size.soak_minutes:g} minutes, window {job.size.window:,}"
    near = "minutes 3 to 6 of 20"
    note = f"the machine itself, sorting beside it, was {late_speed / early_speed:.2f} times as fast at the end; "
    note += f"{cores(late)}, near the beginning {cores(early)}; thousands a second by tenths of the time "
    tenths = [within((tenth / 10, (tenth + 1) / 10)) for tenth in range(10)]
    note += ", ".join(f"{rate(chosen) / 1000:.0f}" for chosen in tenths)
    note += " (sorts: " + ", ".join(f"{median(look.machine for look in chosen):.0f}" for chosen in tenths) + ")"
    return [
        Result(
            f"self-play at the end of {span}",
            "simulations/s",
            [late_rate],
            near,
            [early_rate],
            Target(0.9, 1.1),
            note=note,
        ),
        Result("resident memory, actor and trainer", "MiB", [late_memory], near, [early_memory], Target(0.95, 1.05)),
    ]


def rate(looks: list[Look]) -> float:
    """Simulations a second from the first of `looks` to the last."""
    first, last = looks[0], looks[-1]
    return (last.simulations - first.simulations) / (last.seconds - first.seconds)
