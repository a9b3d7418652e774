"""Files that are complete or absent.

Every artefact (model, checkpoint, statistics) is written to a temporary sibling and then renamed, so a reader sees the old
file or the new one, never a part. Models and checkpoints are flushed to disk before they are renamed. Temporary names start
with `.tmp-`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trainer.core.processes import is_alive

TEMPORARY_PREFIX = ".tmp-"
MOST_LINKS = 40
"""Symbolic links that are followed, as Linux does."""


@contextmanager
def atomic_write(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that becomes `path` when the block ends, and leaves no trace if the block raises.

    The folder of `path` is created if missing. `durable=False` doesn't flush to disk: for files that are written often and
    may be lost in a power failure. For readers it is atomic either way.

    What can't be replaced is written to instead: devices, pipes, and the open files of a process (/dev/stdout). A symbolic
    link keeps pointing to its file, which is replaced.
    """
    if is_stream(path):
        with open(path, "wb") as file:
            yield file
        return
    path = Path(os.path.realpath(path))
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
        if isinstance(error, OSError) and error.filename is None:  # errors of writes carry no file name
            error.filename = str(path)
        raise
    if durable:
        sync_folder(path.parent)


def is_stream(path: Path) -> bool:
    """Whether `path` can be written to but not replaced: a device, a pipe, or an open file by its number."""
    link = path
    for _ in range(MOST_LINKS):
        if str(link.parent) == "/dev/fd" or str(link).startswith("/proc/"):
            return True
        if not link.is_symlink():
            break
        link = link.parent / os.readlink(link)
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Replace `path` with `content` atomically."""
    with atomic_write(path, durable) as file:
        file.write(content)


def identity_of(path: Path) -> tuple[int, int] | None:
    """Device and inode, which distinguish a file from a later one with the same name; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files that killed processes left in `folder`; those of running processes stay."""
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
        owner = leftover.name.removeprefix(TEMPORARY_PREFIX).split("-")[0]
        if not (owner.isdigit() and is_alive(int(owner))):
            leftover.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush a rename in `folder` to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
