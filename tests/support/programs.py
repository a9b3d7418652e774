"""Processes that tests start, and what they may do."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

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


def processes_of(folder: Path) -> list[int]:
    """Processes whose command line names something in the folder."""
    found = []
    for number in psutil.pids():
        with suppress(psutil.Error):  # it is gone, or another user's
            if number != os.getpid() and f"{folder}/" in " ".join(psutil.Process(number).cmdline()):
                found.append(number)
    return found


def is_running(number: int) -> bool:
    """Whether there is such a process, and it hasn't ended."""
    try:
        return bool(psutil.Process(number).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
