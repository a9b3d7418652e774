"""A file that is complete or absent.

Every artefact (model, checkpoint, statistics) is written to a temporary sibling and renamed over its name, so a reader
sees the old file or the new one and never a part. Models and checkpoints are forced to disk before they are renamed.
Temporary names start with `.tmp-`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trainer.core.processes import is_alive

TEMPORARY_PREFIX = ".tmp-"


@contextmanager
def atomic_write(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that becomes `path` when the block ends, or leaves no trace when it raises.

    The folder of `path` is made if it isn't there. What is written often and can be lost in a power failure is not forced
    to disk (`durable=False`); for readers it is atomic all the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}"
    try:
        with open(temporary, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a write doesn't say where
            error.filename = str(path)
        raise
    if durable:
        sync_folder(path.parent)


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Replace `path` by `content` atomically."""
    with atomic_write(path, durable) as file:
        file.write(content)


def identity_of(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one that took its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that killed processes left in `folder`; those of living ones stay."""
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
        owner = leftover.name.removeprefix(TEMPORARY_PREFIX).split("-")[0]
        if not (owner.isdigit() and is_alive(int(owner))):
            leftover.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Force a rename in `folder` to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
