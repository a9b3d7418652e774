"""A file that is complete or absent.

Every artefact (model, checkpoint, statistics) is written to a temporary sibling and renamed over its name, so a reader
sees the old file or the new one and never a part. Models and checkpoints are forced to disk before they are renamed.
Temporary names start with `.tmp-`.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

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


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON, atomically; NaN and infinity are refused, for JSON has none."""
    write_bytes(path, json.dumps(value, allow_nan=False).encode() + b"\n", durable=False)


def read_json_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`, or None where there is no file or it holds something else."""
    try:
        return json_object(path.read_bytes())
    except FileNotFoundError:
        return None


def json_object(content: bytes | str) -> dict[str, Any] | None:
    """`content` as a JSON object, None where it is something else."""
    try:
        value = strict_json(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def strict_json(content: bytes | str) -> Any:
    """The value of `content`. Raises ValueError where it is no JSON, also for NaN and infinity, and RecursionError."""
    return json.loads(content, parse_float=_finite, parse_constant=_finite)


def is_number(value: object) -> bool:
    """A number that every reader of JSON can hold."""
    return isinstance(value, int | float) and abs(value) < 2**53


def has_numbers(content: dict[str, Any], numbers: Iterable[str]) -> bool:
    """Whether `content` has all these numbers."""
    return all(is_number(content.get(name)) for name in numbers)


def number_fields(kind: type) -> list[str]:
    """The fields of a dataclass that are numbers."""
    return [field.name for field in fields(kind) if field.type in ("int", "float")]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time changes what lies at `path`; the lock is a hidden file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / f".{path.name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


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


def is_alive(process: int) -> bool:
    """Whether a process with this id runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # the latter: a number that no process can have
        return False
    except PermissionError:
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Force a rename in `folder` to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
