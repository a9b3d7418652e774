"""Columns of stored rows as arrays, and what is refused in them. N rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ReplayError
from trainer.replay.database import shortened


@dataclass(frozen=True)
class Origin:
    """Where N rows were read."""

    path: Path
    connection: sqlite3.Connection
    rowids: Sequence[int]
    """[N]"""

    def id_of(self, row: int) -> str:
        """The id of a row, for a message. It is read when it is asked for: those of a million rows take a second."""
        rowid = self.rowids[row]
        found = self.connection.execute("SELECT id FROM transitions WHERE rowid = ?", (rowid,)).fetchone()
        return str(found[0]) if found else f"number {rowid}"


def floats_of(stored: Sequence[Any], width: int, column: str, env_id: str, origin: Origin) -> NDArray[np.float32]:
    """float32 [N, width] of a column of blobs. Raises ReplayError naming the first row that has another length or NaN."""
    if set(map(type, stored)) != {bytes} or set(map(len, stored)) != {4 * width}:
        row, blob = next(
            (i, blob) for i, blob in enumerate(stored) if type(blob) is not bytes or len(blob) != 4 * width
        )
        found = f"{len(blob) / 4:g} entries" if type(blob) is bytes else f"the value {shortened(blob)}"
        raise ReplayError(
            f"row {origin.id_of(row)} of {origin.path}: {column} has {found}, {env_id} needs {width}; was it written for "
            f"another game? (--skip-bad-rows passes over such rows)"
        )
    values = np.frombuffer(b"".join(stored), "<f4").reshape(len(stored), width)
    refuse(~np.isfinite(values).all(axis=1), f"{column} holds NaN or infinity", origin)
    return values


def numbers_of(stored: Sequence[Any], column: str, origin: Origin) -> NDArray[np.float32]:
    """float32 [N] of a column of numbers. Raises ReplayError naming the first row without one."""
    if not set(map(type, stored)) <= {int, float}:
        refuse(np.array([type(number) not in (int, float) for number in stored]), f"{column} holds no number", origin)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinity, which is refused
        values = np.array(stored, np.float32)
    refuse(~np.isfinite(values), f"{column} holds NaN or infinity", origin)
    return values


def refuse(wrong: Any, reason: str, origin: Origin) -> None:
    """Raise ReplayError for the first row that is wrong (bool [N])."""
    if np.any(wrong):
        raise ReplayError(
            f"row {origin.id_of(int(np.argmax(wrong)))} of {origin.path}: {reason}; delete the row, pass over it with "
            f"--skip-bad-rows, or find out what wrote it"
        )
