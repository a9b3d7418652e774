"""Files that are complete or absent.

Every artefact (model, checkpoint, statistics) is written to a temporary sibling and then renamed, so a reader sees the old
file or the new one, never a part. Models, checkpoints and run.json are flushed to disk before they are renamed. Temporary
names start with `.tmp-`.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile, gettempdir
from typing import IO

from trainer.core.errors import ConfigError

TEMPORARY_PREFIX = ".tmp-"
OUR_NAME = re.compile(rf"{re.escape(TEMPORARY_PREFIX)}\d+-.+")
"""A temporary file of this program: its process id, and the name that the file will have."""
OWNED = ".owned"
"""A file in a temporary folder that its process keeps locked."""
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
        with own_file(temporary) as file:
            try:
                yield file
                file.flush()
                if durable:
                    force_to_disk(file.fileno())
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)  # while it is locked, so that it isn't another writer's yet
                raise
    except OSError as error:
        if error.filename is None:  # errors of writes carry no file name
            error.filename = str(path)
        raise
    if durable:
        sync_folder(path.parent)


def own_file(path: Path) -> IO[bytes]:
    """Open `path` for writing, empty and locked. Waits if another process has it; in a container its id may be the same."""
    while True:
        file = open(path, "wb", opener=open_as_it_is)  # noqa: SIM115
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if same_file(path, file.fileno()):
            file.truncate()
            return file
        file.close()  # it was renamed or removed while this process waited


def open_as_it_is(path: str, flags: int) -> int:
    """For `open`: a file keeps its content until it is locked."""
    return os.open(path, flags & ~os.O_TRUNC, 0o666)


def same_file(path: Path, handle: int) -> bool:
    """Whether `path` still names the open file `handle`."""
    found = os.fstat(handle)
    return identity_of(path) == (found.st_dev, found.st_ino)


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


def make_writable_folder(folder: Path, flag: str) -> None:
    """Create `folder`. Raises ConfigError, naming the flag that chose it, if it can't be created or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder, prefix=f"{TEMPORARY_PREFIX}{os.getpid()}-"):
            pass  # a name of its own: another thread may probe the same folder
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"can't write to the folder {folder} ({reason}); choose another with {flag}") from error


def may_write(path: Path) -> bool:
    """Whether this process may write to a file and to its folder; if it is a symbolic link, to where that points."""
    path = path.resolve()
    effective = os.access in os.supports_effective_ids
    return all(os.access(place, os.W_OK, effective_ids=effective) for place in (path, path.parent))


NO_FILE = (-1, -1)
"""The identity of a file that is gone."""


def identity_of(path: Path) -> tuple[int, int] | None:
    """Device and inode, which distinguish a file from a later one with the same name; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def signature_of(path: Path) -> tuple[int, int, int]:
    """Time of change, size and inode: another one if the file was written or replaced. Raises OSError if there is none."""
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino


def by_number(path: Path) -> tuple[int, str]:
    """A key that orders names by length and then as text, so that replay-10.db follows replay-9.db."""
    return len(path.name), path.name


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files that killed processes left in `folder`; those of running processes stay."""
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
        if not OUR_NAME.fullmatch(leftover.name):  # another program's
            continue
        with suppress(OSError):  # BlockingIOError: another process is writing it
            handle = os.open(leftover, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if same_file(leftover, handle):
                    leftover.unlink()
            finally:
                os.close(handle)


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder for the time of the block. Those with the same prefix that killed processes left are removed."""
    for leftover in Path(gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError), open(leftover / OWNED, "rb") as file:  # BlockingIOError: its process is alive
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover, ignore_errors=True)
    with TemporaryDirectory(prefix=prefix) as name:
        folder = Path(name)
        with open(folder / f"{OWNED}-soon", "wb") as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
                os.rename(folder / f"{OWNED}-soon", folder / OWNED)  # now that it is locked
            yield folder


def sync_folder(folder: Path) -> None:
    """Flush a rename in `folder` to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        force_to_disk(handle)
    finally:
        os.close(handle)


def force_to_disk(handle: int) -> None:
    """Wait until an open file or folder is on the disk."""
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync only reaches the disk's cache
    if full is not None:
        with suppress(OSError):  # a file system that has no such call
            fcntl.fcntl(handle, full)
            return
    os.fsync(handle)
