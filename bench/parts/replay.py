"""Writing the replay database while a trainer reads it: rows per second, the write-ahead log, the size of the file."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Timer

from bench.report.result import Result, Target
from bench.support.job import Job
from bench.support.random_games import random_episodes
from bench.support.workload import PATIENCE
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import Episode, ReplayWriter

MIB = 2**20
GAMES = 128
"""Games per transaction, about what an actor stores at a time."""


@dataclass
class Written:
    """What was measured while games were written."""

    rates: list[float] = field(default_factory=list)
    """Rows per second of each slice."""
    longest_log: int = 0
    """Bytes of the write-ahead log at its longest."""
    sizes: list[int] = field(default_factory=list)
    """Bytes of the file after each slice."""


def measure(job: Job) -> list[Result]:
    """Connect 4 rows as fast as they can be written: first all rows are kept, then only the newest."""
    size = job.size
    all_kept = write(job, size.rounds * 2, size.turn / 2, window=None)
    windowed = write(job, size.rounds * 2, size.turn / 2, window=size.window)
    first_half = windowed.sizes[: len(windowed.sizes) // 2]
    longest_log = max(all_kept.longest_log, windowed.longest_log)
    note = f"--replay-window {size.window:,}, no target"
    return [
        Result("rows written while a trainer reads", "rows/s", all_kept.rates, target=Target(least=40_000)),
        Result("the same, old rows deleted", "rows/s", windowed.rates, note=note),
        Result("longest write-ahead log", "MiB", [longest_log / MIB], target=Target(most=64)),
        Result(
            f"file with a window of {size.window:,} positions",
            "MiB",
            [max(windowed.sizes) / MIB],
            "its size in the first half",
            [max(first_half) / MIB],
            Target(most=1.05),
        ),
    ]


def write(job: Job, slices: int, seconds: float, window: int | None) -> Written:
    """Write games for some slices of `seconds` each, while another process reads. `window`: positions to keep."""
    numbers = count()
    pattern = [game for game, _ in zip(random_episodes("connect4", count()), range(4 * GAMES), strict=False)]
    written = Written()
    with job.scratch() as folder:
        path = folder / "replay.db"
        with closing(ReplayWriter(path, metadata_of(game_of("connect4")), window)) as writer:
            writer.write([pattern[0]])
            with reading(path):
                for _ in range(slices):
                    began, rows = time.monotonic(), 0
                    while time.monotonic() < began + seconds:
                        games = [named(pattern[at % len(pattern)], at) for at in (next(numbers) for _ in range(GAMES))]
                        writer.write(games)
                        rows += sum(map(len, games))
                        written.longest_log = max(written.longest_log, size_of(path.with_name(path.name + "-wal")))
                    written.rates.append(rows / (time.monotonic() - began))
                    written.sizes.append(size_of(path))
    return written


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Another process reads a database like a trainer while the block runs. Raises RuntimeError if it ended before."""
    command = [sys.executable, "-m", "bench.support.load_replay", str(path), "connect4", "follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        hanging = Timer(PATIENCE, reader.kill)  # `readline` has no deadline, but returns when the reader is gone
        hanging.start()
        try:
            assert reader.stdout
            reader.stdout.readline()
            hanging.cancel()
            yield
            died = reader.poll() is not None
        finally:
            hanging.cancel()
            reader.kill()
    if died:
        raise RuntimeError(f"the reader ended with status {reader.returncode}")


def named(game: Episode, number: int) -> Episode:
    """The same game under another id."""
    return replace(game, episode_id=f"bench-copy-{number:09d}")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0
