"""Processes that tests start, and what they may do."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LARGEST_FILE = 4 * 2**30
"""Bytes: many times what a test needs."""


def bound_files() -> None:
    """Let neither this process nor those that it starts write a file of more than LARGEST_FILE bytes.

    A test that hangs while its actors play would fill the disk otherwise. At the limit SQLite reports a disk I/O error.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if soft == resource.RLIM_INFINITY or soft > LARGEST_FILE:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, hard))


@contextmanager
def ending(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """The process, which is killed at the end if it still runs, so that a test that fails leaves none behind."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
