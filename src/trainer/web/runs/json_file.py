"""A JSON file that other processes replace. It is read again only after it has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, cast

from trainer.core.files import signature_of
from trainer.core.json_values import is_number, strict_json

FieldChecks = Mapping[str, Callable[[object], bool]]
"""For each field, by name, whether a value is valid."""


class JsonFile:
    """The JSON object in a file."""

    def __init__(self, path: Path, checks: FieldChecks) -> None:
        """A field of `checks` may be missing, but must be valid if it is there. Other fields may hold anything."""
        self.path = path
        self._checks = checks
        self._lock = Lock()
        self._signature: tuple[int, int, int] | None = None
        """Change time, size and inode of the version that was read."""
        self._content: dict[str, Any] | None = None
        self._problem: str | None = None

    def read(self) -> tuple[dict[str, Any] | None, str | None]:
        """The object, which callers must not change, and None; or None, and a sentence that says why there is none."""
        with self._lock:
            try:
                signature = signature_of(self.path)
            except OSError:
                return None, f"There is no {self.path.name} in this run yet."
            if signature != self._signature:
                try:
                    content = self.path.read_bytes()
                except OSError as error:  # the next call tries again
                    return None, f"The {self.path.name} of this run can't be read ({error.strerror})."
                self._content, self._problem = self._parsed(content)
                self._signature = signature
            return self._content, self._problem

    def _parsed(self, content: bytes) -> tuple[dict[str, Any] | None, str | None]:
        """What `read` returns for this content of the file."""
        try:
            value = strict_json(content)
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair can be read but not sent
        except (ValueError, RecursionError):
            return None, self._invalid("is not valid JSON")
        if not isinstance(value, dict):
            return None, self._invalid("is not a JSON object")
        for name, is_valid in self._checks.items():
            if name in value and not is_valid(value[name]):
                return None, self._invalid(f"has an invalid value of {name}")
        return value, None

    def _invalid(self, what: str) -> str:
        return f"The {self.path.name} of this run {what}; it is shown again once it is replaced."


def is_text(value: object) -> bool:
    """A string."""
    return isinstance(value, str)


def are_points(value: object) -> bool:
    """A list of objects that all have a step."""
    return are_entries(value) and all(point.get("step") is not None for point in cast(list[dict[str, Any]], value))


def are_entries(value: object) -> bool:
    """A list of objects whose steps and timestamps, if they have any, are numbers."""
    return isinstance(value, list) and all(
        isinstance(entry, dict) and all(is_number(entry.get(name) or 0) for name in ("step", "timestamp"))
        for entry in value
    )
