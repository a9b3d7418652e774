"""Checks that several settings share; each raises ConfigError with the flag, its value and what is needed."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from trainer.core.errors import ConfigError
from trainer.core.files import is_stream, make_writable_folder

MOST = 10**12
"""No count in the settings is larger: arrays and clocks take no more."""
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
TYPES: dict[Any, tuple[Any, str]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    bool: (bool, "True or False"),
    str: (str, "text"),
    Path: ((str, Path), "a path"),
    NoneType: (NoneType, "None"),
}
"""By the type of a setting: what its value is an instance of, and that in words."""


def require(condition: bool, message: str) -> None:
    """Raise ConfigError with `message` unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def require_at_least(settings: Any, least: int, *names: str) -> None:
    """Raise ConfigError unless each of these settings is a number from `least` to MOST, or None."""
    for name in names:
        value = getattr(settings, name)
        needed = f"at least {least} is needed" if least else "0 or more is needed"
        fits = value is None or value >= least
        require(fits, f"--{name.replace('_', '-')} is {value}; {needed}")
        require(value is None or value <= MOST, f"--{name.replace('_', '-')} is {value}; at most {MOST:,} is possible")


def require_above_0(settings: Any, *names: str) -> None:
    """Raise ConfigError unless each of these settings is a finite number above 0, or None."""
    for name in names:
        value = getattr(settings, name)
        fits = value is None or (value > 0 and (isinstance(value, int) or math.isfinite(value)))
        require(fits, f"--{name.replace('_', '-')} is {value}; a number above 0 is needed")


def require_types(settings: Any, hints: Mapping[str, Any]) -> None:
    """Raise ConfigError unless each of the settings has a value of its type in `hints`. Text is a path, a list a tuple."""
    for name, hint in hints.items():
        value, flag = getattr(settings, name), name.replace("_", "-")
        if choices := choices_of(hint):
            require(value in choices, f"--{flag} is {value}; give one of {', '.join(map(str, choices))}")
        else:
            require(is_of(value, hint), f"--{flag} is {value!r}; {needed_for(hint)} is needed")


def is_of(value: Any, hint: Any) -> bool:
    """Whether a value fits the type of a setting."""
    if hint in TYPES:
        return isinstance(value, TYPES[hint][0]) and (hint is bool or not isinstance(value, bool))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple | list) and all(is_of(one, get_args(hint)[0]) for one in value)
    return any(is_of(value, part) for part in get_args(hint))


def needed_for(hint: Any) -> str:
    """What fits the type of a setting, in words."""
    if hint in TYPES:
        return TYPES[hint][1]
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    if get_origin(hint) is tuple:
        return f"a tuple of which each part is {needed_for(get_args(hint)[0])}"
    return " or ".join(map(needed_for, get_args(hint)))


def choices_of(hint: Any) -> list[Any]:
    """The values of a Literal, or of a union of some and None; empty for another type."""
    parts = [hint] if get_origin(hint) is Literal else get_args(hint)
    if not all(part is NoneType or get_origin(part) is Literal for part in parts):
        return []
    return [value for part in parts for value in get_args(part) or [None]]


def require_seed(seed: int) -> None:
    """Raise ConfigError for a seed that some random generator would refuse."""
    require(0 <= seed < 2**63, f"--seed is {seed}; a number from 0 to 2^63 - 1 is needed")


def require_database(db: Path | tuple[Path, ...]) -> None:
    """Raise ConfigError unless at least one database is named."""
    require(db != (), "--db is given without a path; give that of a replay database, or several")


def require_other_file(path: Path | None, flag: str, *others: str | Path | None) -> None:
    """Raise ConfigError if `path`, chosen by `flag` to be written, is one of the other files; None and streams never are."""
    if path is None or is_stream(path):
        return
    if os.path.realpath(path) in {os.path.realpath(other) for other in others if other}:
        raise ConfigError(f"{flag} is {path}, which is also read, or written by another flag; give another file")


def require_output(path: Path | None, flag: str) -> None:
    """Raise ConfigError if `path`, chosen by `flag`, can't be written as a file or a stream; None needs nothing."""
    if path is None:
        return
    require(not path.is_dir(), f"{flag} {path} is a folder; give the name of a file")
    if is_stream(path):
        require(os.access(path, os.W_OK), f"{flag} {path} can't be written to; give the name of a file")
    else:
        folder = Path(os.path.realpath(path)).parent
        if folder.is_dir():
            make_writable_folder(folder, flag)  # it is there, so this tries to write
            return
        while not os.path.exists(folder):
            folder = folder.parent
        reason = os.strerror(errno.EACCES if folder.is_dir() else errno.ENOTDIR)
        fits = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
        require(fits, f"can't write to the folder {folder} ({reason}); choose another with {flag}")
