"""Rows a second into the replay database while a trainer reads, the write-ahead log, and the size of the file."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from bench.episodes import random_episodes
from bench.job import Job
from bench.measured import Result, Target
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import Episode, ReplayWriter

MIB = 2**20
GAMES = 128
"""Games of a transaction: about what an actor stores at a time."""


@dataclass
class Written:
    """What a spell of writing measured."""

    rates: list[float]
    """Rows a second, slice by slice."""
    log: int
    """Bytes of the write-ahead log at its longest."""
    sizes: list[int]
    """Bytes of the file after each slice."""


def measure(job: Job) -> list[Result]:
    """Connect 4 rows as fast as they can be written, first without end, then with a window."""
    size = job.size
    free = write(job, size.rounds * 2, size.turn / 2, window=None)
    kept = write(job, size.rounds * 2, size.turn / 2, window=size.window)
    filled = kept.sizes[: len(kept.sizes) // 2]
    return [
        Result("rows written while a trainer reads", "rows/s", free.rates, target=Target(least=40_000)),
        Result("the same, keeping a window", "rows/s", kept.rates, note=f"--replay-window {size.window:,}, no target"),
        Result("longest write-ahead log", "MiB", [max(free.log, kept.log) / MIB], target=Target(most=64)),
        Result(
            f"file with a window of {size.window:,} positions",
            "MiB",
            [max(kept.sizes) / MIB],
            "its size in the first half",
            [max(filled) / MIB],
            Target(most=1.05),
        ),
    ]


def write(job: Job, slices: int, seconds: float, window: int | None) -> Written:
    """Write games for so many slices of so many seconds, with a reader beside."""
    numbers = count()
    pattern = [game for game, _ in zip(random_episodes("connect4", count()), range(4 * GAMES), strict=False)]
    written = Written([], 0, [])
    with job.scratch() as folder:
        path = folder / "replay.db"
        with closing(ReplayWriter(path, metadata_of(game_of("connect4")), window)) as writer:
            writer.write([pattern[0]])
            command = [sys.executable, "-m", "bench.mirror", str(path), "connect4", "follow"]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
                assert reader.stdout
                reader.stdout.readline()
                for _ in range(slices):
                    began, rows = time.monotonic(), 0
                    while time.monotonic() < began + seconds:
                        games = [named(pattern[at % len(pattern)], at) for at in (next(numbers) for _ in range(GAMES))]
                        writer.write(games)
                        rows += sum(map(len, games))
                        written.log = max(written.log, size_of(path.with_name(path.name + "-wal")))
                    written.rates.append(rows / (time.monotonic() - began))
                    written.sizes.append(size_of(path))
                died = reader.poll() is not None
                reader.kill()
    if died:
        raise RuntimeError(f"the reader ended with status {reader.returncode}")
    return written


def named(game: Episode, number: int) -> Episode:
    """The same game under another id."""
    return replace(game, episode_id=f"bench-copy-{number:09d}")


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0
