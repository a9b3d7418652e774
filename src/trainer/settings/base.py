"""What all settings have in common."""

from __future__ import annotations

from dataclasses import field, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from trainer.settings.validation import require_types

Value = TypeVar("Value")

DEFAULT_GAME = "tictactoe"
"""The game that is played if nothing names one."""
REPLAY_FILE = "replay.db"
"""The replay database of a run, in its folder."""
POSITIONAL = {"positional": True}
"""Metadata of a field that is given by its place on the command line, without a flag."""
FIXED = {"fixed": True}
"""Metadata of a field that keeps its value when a run is resumed."""


def fixed(default: Value) -> Value:
    """A field with this default that keeps its value when a run is resumed."""
    return field(default=default, metadata=FIXED)


def fixed_names(settings: Any) -> list[str]:
    """The names of the fields of a class of settings, or of an instance, that are `fixed`."""
    return [setting.name for setting in fields(settings) if setting.metadata == FIXED]


class Settings:
    """Base of the dataclasses of settings: a path may be given as text, a tuple as a list, a number by NumPy.

    Raises ConfigError for a value of a wrong type. All else that can be wrong is for the `check` of a class.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        require_types(self, hints)
        for setting in fields(self):  # type: ignore[arg-type]
            name, given = setting.name, getattr(self, setting.name)
            value = plain_value(given)
            if isinstance(value, (str, tuple)) and takes_path(hints[name]):
                value = tuple(map(Path, value)) if isinstance(value, tuple) else Path(value)
            if value is not given:
                object.__setattr__(self, name, value)


def plain_value(value: Any) -> Any:
    """A number of NumPy as one of Python, which JSON takes; a list or a tuple as a tuple of such; anything else as it is."""
    if isinstance(value, list | tuple):
        return tuple(map(plain_value, value))
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def takes_path(hint: Any) -> bool:
    """Whether a field of this type holds a path or several: Path, Path | None, Path | tuple[Path, ...]."""
    return hint is Path or Path in getattr(hint, "__args__", ())
