"""Processes on this machine."""

from __future__ import annotations

import os


def is_alive(process: int) -> bool:
    """Whether a process with this id runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # OverflowError: no process can have this id
        return False
    except PermissionError:
        return True
    return True
