"""Processes on this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""A container's limit of processor time: the microseconds that it may use in each period, and those of a period; or `max`
and a number."""


def is_alive(process: int) -> bool:
    """Whether a process with this id runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # OverflowError: no process can have this id
        return False
    except PermissionError:
        return True
    return True


def process_space() -> str:
    """The machine and the container in which process ids mean the same processes."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux, or no /proc
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def available_cores(quota: Path = QUOTA) -> int:
    """Cores that this process may use: those of its affinity (taskset), and no more than a container's limit; at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)  # macOS has none
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        limit = int(allowed) // int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no container, or one without a limit
        return cores
    return max(1, min(cores, limit))
