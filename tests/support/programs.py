"""Processes that tests start."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def ending(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """The process, which is killed at the end if it still runs, so that a test that fails leaves none behind."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
