"""Runs that are watched while something goes wrong around them."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from run_files import trainer_config
from waiting import PATIENCE

from trainer.core.errors import TrainerError
from trainer.settings.trainer import TrainerConfig


def trainer_for(folder: Path, **changed: object) -> TrainerConfig:
    """A run without an end."""
    values = {
        "steps": 10_000_000,
        "checkpoint_interval": 20,
        "max_wait": 0.0,
        "wait_interval": 0.05,
    }
    return trainer_config(folder, **(values | changed))


@contextmanager
def running(work: Callable[[threading.Event], object]) -> Iterator[list[object]]:
    """Work in a thread until the block ends. What it returned or raised is in the list as soon as it is over."""
    stop = threading.Event()
    result: list[object] = []

    def run() -> None:
        try:
            result.append(work(stop))
        except TrainerError as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield result
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def step_of(folder: Path) -> int:
    """The step that stats.json tells; -1 while there is none."""
    stats = folder / "stats.json"
    return int(json.loads(stats.read_bytes())["step"]) if stats.exists() else -1


def stands_still(path: Path) -> bool:
    """Whether a file stays as it is for two seconds."""
    before = path.stat().st_mtime_ns
    time.sleep(2.0)
    return path.stat().st_mtime_ns == before


def rows_of(folder: Path) -> int:
    """The rows that stats.json tells."""
    return int(json.loads((folder / "stats.json").read_bytes())["replay_buffer_size"])


def delete_database(path: Path) -> None:
    """With what SQLite keeps beside it, which goes first: a writer makes another database when this one is gone."""
    for suffix in ("-wal", "-shm", "-journal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def full_disk(*ignored: object) -> None:
    """What a write to a full disk raises."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
