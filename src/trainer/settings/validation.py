"""Checks that settings share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from trainer.core.errors import ConfigError
from trainer.core.files import TEMPORARY_PREFIX

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def require(condition: bool, message: str) -> None:
    """Raise ConfigError with `message` unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def require_seed(seed: int) -> None:
    """Raise ConfigError for a seed that not every generator takes."""
    require(0 <= seed < 2**63, f"--seed is {seed}; a number from 0 to 2^63 - 1 is needed")


def require_writable(folder: Path, flag: str) -> None:
    """Make `folder`, or raise ConfigError naming the flag that chose it where that can't be done or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"{TEMPORARY_PREFIX}{os.getpid()}-writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"can't write to the folder {folder} ({reason}); choose another with {flag}") from error
