"""A Ray cluster on this machine: what it costs beside the loop alone, and how many players its hubs can serve."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from bench.report.result import Result, Target
from bench.support.installed import are_installed
from bench.support.job import Job
from bench.support.turns import alternate
from bench.support.workload import wait_until
from trainer.core.errors import ConfigError
from trainer.core.json_values import read_json_object
from trainer.run.folder import RunFolder

MB = 10**6
OBJECT_STORE = 256 * 2**20
"""Bytes."""
ROWS_PER_SECOND = 300
"""Of a simulated player: a fifth of what one core makes of Connect 4."""
EARLY, LATE = (0.15, 0.3), (0.85, 1.0)
"""Shares of the time of `soak` that are compared."""
LOOKS = 120
"""Looks at the memory in that time."""


def measure(job: Job) -> list[Result]:
    """Raises ConfigError if Ray is not installed."""
    with a_cluster() as address:
        beside = beside_the_loop(job, address) if job.size.cluster_minutes else []
        return [*beside, *crowds(job)]


@contextmanager
def a_cluster() -> Iterator[str]:
    """A cluster of this machine, on loopback; gives its address. Raises ConfigError if Ray is not installed."""
    if not are_installed("ray"):
        raise ConfigError('a benchmark of a cluster needs Ray; pip install -e ".[cluster]"')
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    # Else Ray writes a token into the home folder, and a head that is started later asks other machines for it.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    # A short path, because that of a socket has a limit.
    with tempfile.TemporaryDirectory(prefix="c", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray.init(
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE,
            log_to_driver=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        try:
            yield ray.get_runtime_context().gcs_address
        finally:
            ray.shutdown()


def beside_the_loop(job: Job, address: str) -> list[Result]:
    """Connect 4 with the loop's defaults, in turn on the cluster and without it."""
    turns = (lambda: positions_per_second(job, []), lambda: positions_per_second(job, ["--ray", address]))
    alone, on_ray = alternate(job.size.cluster_rounds, *turns)
    return [
        Result("the loop on a cluster of one node", "positions/s", on_ray, "the loop alone", alone, Target(least=0.93))
    ]


def positions_per_second(job: Job, words: Sequence[str]) -> float:
    """What a new run of the loop plays, from its first game to its end."""
    with job.scratch() as folder:
        command = [sys.executable, "-m", "trainer.loop", "--env-id", "connect4", "--data-dir", str(folder), *words]
        command += ["--minutes", str(job.size.cluster_minutes), "--log-level", "ERROR"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stats = read_json_object(RunFolder(folder).actor_stats) or {}
        return float(stats["total_steps"] / stats["runtime_seconds"])


def soak(job: Job) -> list[Result]:
    """Memory of the head while the loop plays: of Ray's own processes there, the hub and what drives the cluster.

    It is what a process has to itself. The object store isn't counted, whose size is fixed. Raises ConfigError if Ray is not
    installed.
    """
    seconds = 60 * job.size.soak_minutes
    looks: list[tuple[float, float]] = []
    with a_cluster() as address, job.scratch() as folder:
        command = [sys.executable, "-m", "trainer.loop", "--env-id", "connect4", "--data-dir", str(folder)]
        command += ["--ray", address, "--minutes", str(2 * job.size.soak_minutes + 1), "--log-level", "ERROR"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as loop:
            try:
                wait_until(
                    lambda: (read_json_object(RunFolder(folder).actor_stats) or {}).get("total_steps"),
                    "the loop plays nothing",
                    loop,
                    every=0.2,
                )
                began = time.monotonic()
                while (elapsed := time.monotonic() - began) < seconds or not looks:
                    time.sleep(seconds / LOOKS)
                    looks.append((elapsed / seconds, memory_of_the_head()))
            finally:
                loop.terminate()
    early, late = memory_in(looks, EARLY), memory_in(looks, LATE)
    minutes = job.size.soak_minutes
    what = f"memory of the head after {minutes:g} minutes"
    near = f"after {EARLY[0] * minutes:g} to {EARLY[1] * minutes:g} of them"
    return [Result(what, "MB", late, near, early, Target(most=1.05))]


def memory_in(looks: list[tuple[float, float]], span: tuple[float, float]) -> list[float]:
    """What was seen in a span of the time; what was seen nearest to its middle if a busy machine made no look there.

    A look is the share of the time that had passed, and the memory.
    """
    inside = [memory for at, memory in looks if span[0] <= at < span[1]]
    return inside or [min(looks, key=lambda look: abs(look[0] - sum(span) / 2))[1]]


def memory_of_the_head() -> float:
    """In MB: all processes below this one, without the players, the trainer and the loop."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            words = " ".join(process.cmdline())
            if not any(name in words for name in ("ray::RayPlayer", "-m trainer ", "-m trainer.loop")):
                total += process.memory_full_info().uss
        except psutil.Error:
            continue
    return total / MB


def crowds(job: Job) -> list[Result]:
    """Simulated players at one hub, more and more of them, and at several hubs."""
    from bench.support.crowd import Crowd, Recorded, play

    recorded = Recorded("connect4")
    seconds = job.size.turn * 2

    def tried(hubs: int, players: int, rate: float) -> tuple[Crowd, list[float]]:
        with job.scratch() as folder, hubs_in(folder, hubs) as handles, largest("ray::RayHub") as memory:
            return play(handles, players, rate, seconds, recorded), memory

    four, _ = tried(1, 4, 1e6)
    results = [Result("one hub, four players that never rest", "rows/s", [four.stored], target=Target(least=50_000))]
    for hubs, players in [(1, players) for players in job.size.crowds] + [
        (hubs, job.size.crowds[-1]) for hubs in job.size.many_hubs
    ]:
        crowd, memory = tried(hubs, players, ROWS_PER_SECOND)
        note = (
            f"offered {crowd.offered:,.0f}; an answer after {1000 * median(crowd.answers):,.0f} ms, 95% within "
            f"{1000 * float(np.quantile(crowd.answers, 0.95)):,.0f} ms; players wait {crowd.waiting:.0%} of the time; a hub "
            f"takes at most {memory[0] / MB:,.0f} MB"
        )
        what = f"{'one hub' if hubs == 1 else f'{hubs} hubs'}, {players:,} players"
        results.append(Result(what, "rows/s", [crowd.stored], note=note))
    return results


@contextmanager
def hubs_in(folder: Path, number: int) -> Iterator[list[Any]]:
    """Hubs of one run, each with its own database."""
    import ray

    from trainer.cluster.on_ray.connection import this_node
    from trainer.cluster.on_ray.hub import start_hub
    from trainer.settings.actor import ActorConfig

    databases = RunFolder(folder).shards(number)
    config = {"env_id": "connect4", "data_dir": folder, "log_level": "ERROR"}
    hubs = [start_hub(ActorConfig(replay_db_path=path, **config), this_node()) for path in databases]
    try:
        ray.get([hub.publish.remote() for hub in hubs])
        yield hubs
    finally:
        ray.get([hub.close.remote() for hub in hubs])
        for hub in hubs:
            ray.kill(hub)


@contextmanager
def largest(title: str) -> Iterator[list[float]]:
    """The most resident memory of a process with this title while the block runs: the only item of a list, in bytes."""
    most, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                try:
                    if process.cmdline()[:1] and process.cmdline()[0].startswith(title):
                        most[0] = max(most[0], process.memory_info().rss)
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()
