"""Whether threads search while others wait for a device: on one core, with a launcher that sleeps.

A batch is searched in as much time as the launcher takes. Without overlap two threads would then be as fast as one; if all
of it overlapped they would be twice as fast.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Barrier, Thread

import torch

from bench.parts.gpu.models import CONV, model_of, original_of
from bench.report.result import Result, Target
from bench.support.job import Job
from bench.support.turns import alternate
from bench.support.workload import PATIENCE
from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.interface import Evaluator
from trainer.gpu.evaluator import TorchAccelerator
from trainer.gpu.launchers import Launcher
from trainer.network import PolicyValueNetwork
from trainer.settings.groups.self_play import SelfPlaySettings

GAMES = 512


class Sleeper:
    """A launcher that takes a while and answers that all moves are as good. (It uses no core in that time.)"""

    def __init__(self, seconds: float, capacity: int, obs_size: int, num_actions: int) -> None:
        self._seconds = seconds
        self.observation = torch.zeros(capacity, obs_size)
        self.legal = torch.zeros(capacity, num_actions, dtype=torch.bool)
        self.answers = torch.full((capacity, num_actions + 2), 1 / num_actions)
        self.answers[:, num_actions:] = 0

    def launch(self) -> None:
        """Take a while."""
        time.sleep(self._seconds)


def measure(job: Job) -> list[Result]:
    """Self-play of one thread and of two, in turns."""
    games = min(GAMES, 16 * job.size.games)
    with on_one_core():
        seconds = 1 / batches_per_second(sleeping(0.0, games), 1, games, job.size.turn / 2)
        slow = sleeping(seconds, games)
        one, two = alternate(
            job.size.rounds, *(lambda n=n: batches_per_second(slow, n, games, job.size.turn / 2) for n in (1, 2))
        )
    return [
        Result(
            "self-play of two threads on one core",
            "batches/s",
            two,
            "one thread",
            one,
            Target(least=1.7),
            note=f"a batch of {games} takes {1000 * seconds:.1f} ms to search and as long to evaluate",
        )
    ]


def sleeping(seconds: float, games: int) -> Evaluator:
    """An evaluator of Connect 4 whose launches take so long."""

    def make(network: PolicyValueNetwork, capacity: int, obs_size: int, num_actions: int) -> Launcher:
        return Sleeper(seconds, capacity, obs_size, num_actions)

    content = model_of("connect4", CONV)
    return TorchAccelerator("connect4", torch.device("cpu"), "fp32", games, make)(
        content, original_of("connect4", content)
    )


def batches_per_second(evaluator: Evaluator, threads: int, games: int, seconds: float) -> float:
    """Steps of self-play per second, of all threads together, each with games of its own, and of each at least one."""
    done, start = [0] * threads, Barrier(threads + 1, timeout=PATIENCE)

    def play(at: int) -> None:
        own = SelfPlay("connect4", games, count(), 1, f"bench-{at}", SelfPlaySettings(cache=0))
        for _ in range(3):
            own.step(evaluator)
        start.wait()
        end = time.monotonic() + seconds
        while not done[at] or time.monotonic() < end:
            own.step(evaluator)
            done[at] += 1

    workers = [Thread(target=play, args=(at,), daemon=True) for at in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.monotonic()
    for worker in workers:
        worker.join()
    return sum(done) / (time.monotonic() - began)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Let this thread, and those that it starts, run on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
