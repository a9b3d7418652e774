"""The evaluations of a run, which the loop (`launch/evaluations.py`) appends to `evaluations.jsonl`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from trainer.core.json_values import json_object

NEWEST = 10
"""Number of newest evaluations that thinning keeps."""


class EvaluationLog:
    """The file at `path`, one evaluation per line. Reading it again reads only what is new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None
        self._end = 0
        self._found: list[dict[str, Any]] = []

    def append(self, evaluation: dict[str, Any]) -> None:
        """Append one in a single write, on a line of its own even if the last line was cut short."""
        with open(self.path, "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
            gap = b"" if file.read(1) in (b"", b"\n") else b"\n"
            file.write(gap + json.dumps(evaluation, allow_nan=False).encode() + b"\n")

    def read(self) -> list[dict[str, Any]]:
        """All evaluations, oldest first; lines that are damaged or still being written are left out."""
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                identity = status.st_dev, status.st_ino
                if identity != self._identity or status.st_size < self._end:  # the file was replaced or rewritten
                    self._identity, self._end, self._found = identity, 0, []
                file.seek(self._end)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._end += len(whole)
        self._found += [found for line in whole.split(b"\n") if (found := json_object(line)) is not None]
        return [*self._found]


def thinned(evaluations: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The newest ones, and at most `most` of those before them, evenly: all, or every second, fourth, eighth, ..."""
    older, newest = evaluations[:-NEWEST], evaluations[-NEWEST:]
    stride = 1
    while len(older) > most * stride:
        stride *= 2
    return older[::stride] + newest
