"""A lock between processes."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def locked(path: Path, when_taken: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold the lock of `path` while the block runs; it is a hidden file beside `path`. Waits for other processes.

    `when_taken` is called before it waits, if it has to. Raises OSError if the file can't be made, or if the file system has
    no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / f".{path.name}.lock", "w") as file:
        try:
            if not locked_at_once(file):
                if when_taken is not None:
                    when_taken()
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            error.filename = file.name
            raise
        yield


def locked_at_once(file: IO[str]) -> bool:
    """Lock an open file, unless another process has; returns whether it is locked now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
