"""Actor and trainer for many minutes: the end should be as fast, and need as much memory, as the beginning.

A network gets cheaper while it learns: fewer of its inputs are active, and its searches return to known positions more
often. So a fresh actor is measured with the models of both times. What that does not explain is due to the minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from math import isnan, nan
from statistics import median

import numpy as np
import psutil

from bench.report.result import Result, Target
from bench.support.actors import loop_actor
from bench.support.job import Job
from bench.support.models import place_model
from bench.support.turns import Turn, alternate, rates
from bench.support.workload import ready, wait_until
from trainer.core.arguments import arguments_of
from trainer.core.json_values import read_json_object
from trainer.core.signals import PARENT_VARIABLE
from trainer.games.recipes import changed, recipe_of
from trainer.launch.local import actor_config, trainer_config
from trainer.run.folder import RunFolder

MIB = 2**20
EARLY, LATE = (0.15, 0.30), (0.85, 1.0)
"""Shares of the time that are compared: of 20 minutes, minutes 3 to 6 and the last 3."""
LOOKS = 200
TO_SORT = np.random.default_rng(0).permutation(500_000)


@dataclass(frozen=True)
class Look:
    """What was seen at one moment."""

    share: float
    """The share of the whole time that has passed."""
    seconds: float
    """Seconds since the beginning."""
    simulations: int
    """Simulations so far."""
    resident: float
    """MiB of both processes."""
    machine_speed: float
    """Sorts per CPU-second beside both processes: the speed of the machine, which other programs change."""


def measure(job: Job) -> list[Result]:
    """Connect 4 as the loop plays and trains it, without the loop's evaluations."""
    looks, models = watch(job)
    early, late = compared(looks, EARLY), compared(looks, LATE)
    early_rate, late_rate = rate(early), rate(late)
    fresh_early, fresh_late = fresh_rates(job, models)
    cheaper = median(fresh_late) / median(fresh_early)
    early_memory, late_memory = (median(look.resident for look in chosen) for chosen in (early, late))
    early_speed, late_speed = (median(look.machine_speed for look in chosen) for chosen in (early, late))
    tenths = [rate(within(looks, (tenth / 10, (tenth + 1) / 10))) for tenth in range(10)]
    course = ", ".join(f"{one / 1000:.0f}" for one in tenths if not isnan(one))
    note = (
        f"thousands per second in each tenth of the time {course}; "
        f"the machine sorted numbers {late_speed / early_speed:.2f} times as fast at the end"
    )
    minutes = job.size.soak_minutes
    near = f"minutes {EARLY[0] * minutes:g} to {EARLY[1] * minutes:g} of {minutes:g}"
    what = f"self-play at the end of {minutes:g} minutes, window {job.size.window:,}"
    flat = Target(0.9, 1.1)
    return [
        Result(what, "simulations/s", [late_rate], near, [early_rate], flat, note=note),
        Result("a fresh actor with the last model", "simulations/s", fresh_late, f"that of {near}", fresh_early),
        Result(
            f"{what}, given its model",
            "simulations/s",
            [late_rate],
            f"{near}, times what a fresh actor gains with the later model",
            [early_rate * cheaper],
            flat,
        ),
        Result("resident memory, actor and trainer", "MiB", [late_memory], near, [early_memory], Target(0.95, 1.05)),
    ]


def watch(job: Job) -> tuple[list[Look], list[bytes]]:
    """Run actor and trainer; returns the looks, and the models from the middle of EARLY and of LATE.

    Raises RuntimeError if they don't begin to play.
    """
    seconds = 60 * job.size.soak_minutes
    moments = [sum(span) / 2 for span in (EARLY, LATE)]
    looks: list[Look] = []
    models: list[bytes] = []
    with job.scratch() as folder, ExitStack() as stack:
        config = changed(
            recipe_of("connect4"),
            data_dir=folder,
            minutes=2 * job.size.soak_minutes,
            threads=job.size.threads,
            simulations=job.size.simulations,
            replay_window=job.size.window,
            log_level="ERROR",
        )
        environment = os.environ | {PARENT_VARIABLE: str(os.getpid())}
        started = []
        for module, settings in (("trainer", trainer_config(config)), ("trainer.actor", actor_config(config))):
            command = [sys.executable, "-m", module, *arguments_of(settings)]
            started.append(stack.enter_context(subprocess.Popen(command, env=environment)))
            stack.callback(started[-1].terminate)
        run, processes = RunFolder(folder), [psutil.Process(process.pid) for process in started]
        wait_until(
            lambda: (read_json_object(run.actor_stats) or {}).get("simulations", 0) > 0,
            "actor and trainer don't begin",
            *started,
            every=0.1,
        )
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds or len(models) < len(moments):
            time.sleep(seconds / LOOKS)
            resident = sum(process.memory_info().rss for process in processes) / MIB
            simulations = (read_json_object(run.actor_stats) or {})["simulations"]
            looks.append(Look(elapsed / seconds, time.monotonic() - began, simulations, resident, machine_speed()))
            if len(models) < len(moments) and elapsed / seconds >= moments[len(models)]:
                models.append(run.latest_model.read_bytes())
    return looks, models


def fresh_rates(job: Job, models: list[bytes]) -> list[list[float]]:
    """Simulations/s of a fresh actor with each model, in turns; each turn begins with loading the model, as in the run."""
    with job.scratch() as folder:
        homes = [folder / str(index) for index in range(len(models))]
        actors = [loop_actor(job.size, home, "connect4", model) for home, model in zip(homes, models, strict=True)]

        def turn(index: int) -> Turn:
            place_model(homes[index], models[index])
            return actors[index].turn(job.size.turn)

        with ready(*actors):
            turns = alternate(job.size.rounds, *(lambda index=index: turn(index) for index in range(len(models))))
    return [rates(of_model, "simulations") for of_model in turns]


def machine_speed() -> float:
    """Sorts of a fixed array per CPU-second."""
    began = time.thread_time()
    np.sort(TO_SORT)
    return 1 / (time.thread_time() - began)


def within(looks: list[Look], span: tuple[float, float]) -> list[Look]:
    """The looks in a span of the time, given as shares of it."""
    return [look for look in looks if span[0] <= look.share <= span[1]]


def compared(looks: list[Look], span: tuple[float, float]) -> list[Look]:
    """The looks in a span of the time; the two nearest to its middle if a busy machine made fewer there."""
    inside = within(looks, span)
    if len(inside) >= 2:
        return inside
    nearest = sorted(looks, key=lambda look: abs(look.share - sum(span) / 2))[:2]
    return sorted(nearest, key=lambda look: look.share)


def rate(looks: list[Look]) -> float:
    """Simulations/s from the first of `looks` to the last; NaN for fewer than two."""
    if len(looks) < 2:
        return nan
    first, last = looks[0], looks[-1]
    return (last.simulations - first.simulations) / (last.seconds - first.seconds)
