"""The versions that a player and its hub must have in common."""

from __future__ import annotations

import platform
import socket
from collections.abc import Mapping

import trainer
from trainer.core.errors import TrainerError


class RefusedError(TrainerError):
    """A player can't take part, and asking again wouldn't help."""


def our_versions() -> dict[str, str]:
    """Versions of the trainer and of Python (major and minor), and the machine's name.

    A dict of text, because it is the first thing that two programs of different versions exchange.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {"trainer": trainer.__version__, "Python": python, "host": socket.gethostname()}


def refuse_other_versions(theirs: Mapping[str, str]) -> None:
    """Raise RefusedError unless a player has the versions of this process."""
    ours = our_versions()
    if any(theirs.get(name) != ours[name] for name in ("trainer", "Python")):
        raise RefusedError(
            f"the player on {theirs.get('host')} has {described(theirs)}, the hub on {ours['host']} has {described(ours)}; "
            f"install the same versions on both"
        )


def described(versions: Mapping[str, str]) -> str:
    """Versions in words."""
    return f"trainer {versions.get('trainer')} and Python {versions.get('Python')}"
