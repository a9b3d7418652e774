"""What all settings have in common."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

POSITIONAL = {"positional": True}
"""Metadata of a field that is given by its place on the command line, without a flag."""


class Settings:
    """Base of the dataclasses of settings: a path may be given as text, also within a tuple."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, (str, tuple)) and takes_path(hints[field.name]):
                object.__setattr__(
                    self, field.name, tuple(map(Path, value)) if isinstance(value, tuple) else Path(value)
                )


def takes_path(hint: Any) -> bool:
    """Whether a field of this type holds a path or several: Path, Path | None, Path | tuple[Path, ...]."""
    return hint is Path or Path in getattr(hint, "__args__", ())
