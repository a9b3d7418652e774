"""Bounds checks: while they are on, compiled code raises IndexError for an index that is out of bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba

SETTINGS: Any = numba.config


@contextmanager
def bounds_checked() -> Iterator[None]:
    """Link and call kernels inside this block. Their key includes the setting, so the cache keeps both versions apart."""
    before = SETTINGS.BOUNDSCHECK
    SETTINGS.BOUNDSCHECK = 1
    try:
        yield
    finally:
        SETTINGS.BOUNDSCHECK = before
