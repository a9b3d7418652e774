"""Columns of stored rows as arrays, and what is refused in them. N rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import ReplayError
from trainer.replay.database import shortened


def floats_of(
    stored: list[Any], width: int, column: str, env_id: str, path: Path, ids: list[str]
) -> NDArray[np.float32]:
    """float32 [N, width] of a column of blobs. Raises ReplayError naming the first row that has another length or NaN."""
    for row, blob in zip(ids, stored, strict=True):
        if not isinstance(blob, bytes) or len(blob) != 4 * width:
            found = f"{len(blob) / 4:g} entries" if isinstance(blob, bytes) else f"the value {shortened(blob)}"
            raise ReplayError(
                f"row {row} of {path}: {column} has {found}, {env_id} needs {width}; was it written for "
                f"another game? (--skip-bad-rows passes over such rows)"
            )
    values = np.frombuffer(b"".join(stored), "<f4").reshape(len(stored), width)
    refuse(~np.isfinite(values).all(axis=1), f"{column} holds NaN or infinity", path, ids)
    return values


def numbers_of(stored: Sequence[Any], column: str, path: Path, ids: list[str]) -> NDArray[np.float32]:
    """float32 [N] of a column of numbers. Raises ReplayError naming the first row without one."""
    refuse(
        np.array([not isinstance(number, int | float | np.floating) for number in stored]),
        f"{column} holds no number",
        path,
        ids,
    )
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinity, which is refused
        values = np.array(stored, np.float32)
    refuse(~np.isfinite(values), f"{column} holds NaN or infinity", path, ids)
    return values


def refuse(wrong: Any, reason: str, path: Path, ids: Iterable[str]) -> None:
    """Raise ReplayError for the first row that is wrong (bool [N])."""
    if np.any(wrong):
        row = list(ids)[int(np.argmax(wrong))]
        raise ReplayError(
            f"row {row} of {path}: {reason}; delete the row, pass over it with --skip-bad-rows, or find out what wrote it"
        )
