"""Evaluations and self-play on a GPU: how exact, and how many (docs/gpu.md says how long it takes).

What fails is reported, and the rest is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Thread

import numpy as np
import torch

from bench.parts.gpu.models import CONV, NAMES, TOWER, Kind, model_of, original_of
from bench.report.result import Result, Target, or_failed
from bench.support.actors import actor
from bench.support.job import Job
from bench.support.models import place_model
from bench.support.workload import ready, wait_until
from trainer.evaluators.acceleration import distance, random_play
from trainer.games.recipes import recipe_of
from trainer.gpu.devices import choose
from trainer.gpu.evaluator import TorchAccelerator
from trainer.gpu.launchers import EagerLauncher, GraphLauncher, MakeLauncher
from trainer.settings.groups.device import Precision

MEMORY_GIB = 16
PATIENCE = 120.0
"""Seconds that an actor, or a thread, may take until it counts. One that hangs must leave time for the others."""


def measure(job: Job) -> Iterator[Result]:
    """Whether it is right, which takes seconds, and then what matters most. Raises ConfigError if the device of the job's
    size can't be used."""
    device = choose(job.size.gpu_device).device
    precisions: tuple[Precision, ...] = ("fp32", "fp16", "bf16")
    for precision in precisions:
        what = f"connect4, {NAMES[TOWER]}, {precision}: distance from ONNX Runtime"
        yield from or_failed(what, exactness(what, device, precision))
    yield from self_play(job, device)
    yield from evaluations(job, device)


def exactness(what: str, device: torch.device, precision: Precision) -> Iterator[Result]:
    """How far the answers in a precision are from ONNX Runtime's, by the measure that decides whether a model is used."""
    content = model_of("connect4", TOWER)
    original, rows = original_of("connect4", content), random_play("connect4", seed=2)
    maker = TorchAccelerator("connect4", device, precision, 256)
    apart = distance(maker(content, original)(*rows), original(*rows))
    yield Result(what, "", [apart], target=Target(most=maker.tolerance))


def evaluations(job: Job, device: torch.device) -> Iterator[Result]:
    """Positions that threads can have evaluated, without a search: by the size of a batch, and without a captured graph."""
    batches = job.size.gpu_batches
    middle = batches[len(batches) // 2]
    for batch in batches:
        yield from evaluated(job, device, "connect4", TOWER, batch)
    yield from evaluated(job, device, "othello", TOWER, middle)
    yield from evaluated(job, device, "connect4", CONV, middle)
    if device.type == "cuda":
        yield from evaluated(job, device, "connect4", TOWER, middle, EagerLauncher)


def evaluated(
    job: Job, device: torch.device, env_id: str, kind: Kind, batch: int, launcher: MakeLauncher | None = None
) -> Iterator[Result]:
    """One network and one size of batches, by the number of threads."""
    content = model_of(env_id, kind)
    original = original_of(env_id, content)
    precision: Precision = "fp16" if device.type == "cuda" else "fp32"
    own = launcher or (GraphLauncher if device.type == "cuda" else EagerLauncher)
    manner = "a captured graph" if own is GraphLauncher else "operation by operation"

    def by(threads: int, what: str) -> Iterator[Result]:
        if device.type == "cuda":
            torch.cuda.empty_cache()  # gives back what the row before has taken
        evaluator = TorchAccelerator(env_id, device, precision, batch, own)(content, original)
        rate = positions_per_second(evaluator, env_id, batch, threads, job.size.gpu_seconds)
        yield Result(what, "evaluations/s", [rate], note=memory_taken(device))

    for threads in job.size.gpu_threads:
        what = f"{env_id}, {NAMES[kind]}, batches of {batch:,}, {threads} threads, {manner}"
        yield from or_failed(what, by(threads, what))


def memory_taken(device: torch.device) -> str:
    """How much of a GPU's memory torch has taken for this process, for a note; empty for another device."""
    return f"{torch.cuda.memory_reserved() / 2**30:.2f} GiB of the GPU's memory" if device.type == "cuda" else ""


def positions_per_second(
    evaluator: Callable[..., object], env_id: str, batch: int, threads: int, seconds: float
) -> float:
    """What so many threads get answers to, each in batches of its own. Raises what a thread raised."""
    observation, legal = (np.resize(part, (batch, part.shape[1])) for part in random_play(env_id, seed=2))
    counts, end, failures = [0] * threads, [float("inf")], list[Exception]()

    def work(at: int) -> None:
        try:
            while time.monotonic() < end[0]:
                evaluator(observation, legal)
                counts[at] += 1
        except Exception as error:
            failures.append(error)

    workers = [Thread(target=work, args=(at,), daemon=True) for at in range(threads)]  # one that hangs holds nobody up
    for worker in workers:
        worker.start()
    try:
        wait_until(  # each prepares its launcher first
            lambda: all(counts) or failures, "some of the threads get no answer", every=0.01, patience=PATIENCE
        )
    finally:
        before, began = sum(counts), time.monotonic()
        end[0] = began + seconds
    for worker in workers:
        worker.join(seconds + PATIENCE)
    if failures:
        raise failures[0]
    return (sum(counts) - before) * batch / (time.monotonic() - began)


def self_play(job: Job, device: torch.device) -> Iterator[Result]:
    """The actor's command with a tower on the device; with the conv network on the device and by the CPU's own kernels."""
    size, where = job.size, device.type
    batches, threads = size.gpu_batches, size.gpu_threads
    middle = batches[len(batches) // 2]
    goal = (TOWER, where, threads[-1], middle)
    settings = [goal, (CONV, where, threads[-1], middle), (CONV, "cpu", size.gpu_cores, 128)]
    settings += [(TOWER, where, threads[-1], one) for one in batches] + [(TOWER, where, one, middle) for one in threads]

    def played(one: tuple[Kind, str, int, int], what: str) -> Iterator[Result]:
        kind, place, number, games = one
        with job.scratch() as folder:
            place_model(folder, model_of("connect4", kind))
            own = actor(
                folder,
                "connect4",
                PATIENCE,
                simulations=size.simulations,
                random_openings=recipe_of("connect4").random_openings,  # or all games would be in their first moves
                threads=number,
                games=games,
                device=place,
                memory_gib=MEMORY_GIB,
                replay_window=size.window,
            )
            with ready(own):
                turn = own.turn(size.turn)
        target = Target(least=1_000_000) if one == goal else Target()
        yield Result(what, "simulations/s", [turn.rates["simulations"]], target=target, note=f"{turn.cores:.1f} cores")

    for one in dict.fromkeys(settings):
        what = f"connect4, self-play, {NAMES[one[0]]} on {one[1]}, {one[2]} threads of {one[3]} games"
        yield from or_failed(what, played(one, what))
