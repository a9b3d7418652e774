"""The versions that a player and its hub must have in common."""

from __future__ import annotations

import hashlib
import platform
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import trainer
from trainer.core.errors import TrainerError


class RefusedError(TrainerError):
    """A player can't take part, and asking again wouldn't help."""


def our_versions() -> dict[str, str]:
    """Versions of the trainer, of its source and of Python (major and minor), and the machine's name.

    A dict of text, because it is the first thing that two programs of different versions exchange.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    source = source_of(Path(trainer.__file__).parent)
    return {"trainer": trainer.__version__, "source": source, "Python": python, "host": socket.gethostname()}


@cache
def source_of(package: Path) -> str:
    """The first 12 digits of a SHA-256 of a package's Python and SQL files, which tells two checkouts of a version apart.

    It is taken once per process, when a hub or a player starts, so that it stands for the code that runs, even if a file is
    edited later.
    """
    content = hashlib.sha256()
    for path in sorted(path for path in package.rglob("*") if path.suffix in (".py", ".sql")):
        name = path.relative_to(package).as_posix()
        content.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return content.hexdigest()[:12]


def refuse_other_versions(theirs: Mapping[str, str]) -> None:
    """Raise RefusedError unless a player has the versions of this process."""
    ours = our_versions()
    if any(theirs.get(name) != ours[name] for name in ("trainer", "source", "Python")):
        raise RefusedError(
            f"the player on {theirs.get('host')} has {described(theirs)}, the hub on {ours['host']} has {described(ours)}; "
            f"install the same versions on both; if the files were edited during the run, end it, and go on with --resume"
        )


def described(versions: Mapping[str, str]) -> str:
    """Versions in words."""
    return f"trainer {versions.get('trainer')} (source {versions.get('source')}) and Python {versions.get('Python')}"
