"""A JSON file that other processes replace: read again only when it changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

Signature = tuple[int, int, int]


class JsonFile:
    """The JSON object in a file. `problem` is a sentence where it can't be had."""

    def __init__(self, path: Path) -> None:
        self.path = path
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
            value = json.loads(self.path.read_bytes(), parse_constant=_refuse)
        except OSError as error:
            return None, f"The {self.path.name} of this run can't be read ({error.strerror})."
        except (ValueError, RecursionError):
            return None, f"The {self.path.name} of this run is not valid JSON; it will show when it is replaced."
        if not isinstance(value, dict):
            return None, f"The {self.path.name} of this run holds no JSON object; it will show when it is replaced."
        return value, None


def _refuse(constant: str) -> NoReturn:
    """JSON has no NaN and no infinity."""
    raise ValueError(constant)
