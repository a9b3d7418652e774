"""A JSON file that other processes replace: read again only when it changed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, cast

from trainer.core.json_values import is_number, strict_json

Signature = tuple[int, int, int]
Fields = Mapping[str, Callable[[object], bool]]


class JsonFile:
    """The JSON object in a file. `problem` is a sentence where it can't be had."""

    def __init__(self, path: Path, fields: Fields) -> None:
        """`fields` that are there must be as they say; others may be anything."""
        self.path = path
        self._fields = fields
        self._lock = Lock()
        self._signature: Signature | None = None
        self._content: dict[str, Any] | None = None
        self._problem: str | None = None

    def read(self) -> tuple[dict[str, Any] | None, str | None, Signature | None]:
        """The object (not to be changed), the problem, and what tells one version of the file from another."""
        with self._lock:
            try:
                found = os.stat(self.path)
            except OSError:
                return None, f"There is no {self.path.name} in this run yet.", None
            signature = (found.st_mtime_ns, found.st_size, found.st_ino)
            if signature != self._signature:
                self._content, self._problem = self._parsed()
                self._signature = signature
            return self._content, self._problem, signature

    def _parsed(self) -> tuple[dict[str, Any] | None, str | None]:
        try:
            value = strict_json(self.path.read_bytes())
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair can be read but not sent
        except OSError as error:
            return None, f"The {self.path.name} of this run can't be read ({error.strerror})."
        except (ValueError, RecursionError):
            return None, f"The {self.path.name} of this run is not valid JSON; it will show when it is replaced."
        if not isinstance(value, dict):
            return None, f"The {self.path.name} of this run holds no JSON object; it will show when it is replaced."
        for name, right in self._fields.items():
            if name in value and not right(value[name]):
                return None, f"The {self.path.name} of this run has a wrong {name}; it will show when it is replaced."
        return value, None


def is_text(value: object) -> bool:
    """A string."""
    return isinstance(value, str)


def are_points(value: object) -> bool:
    """A list of objects that have a step."""
    return are_entries(value) and all(point.get("step") is not None for point in cast(list[dict[str, Any]], value))


def are_entries(value: object) -> bool:
    """A list of objects; their steps and time stamps are numbers."""
    return isinstance(value, list) and all(
        isinstance(entry, dict) and all(is_number(entry.get(name) or 0) for name in ("step", "timestamp"))
        for entry in value
    )
