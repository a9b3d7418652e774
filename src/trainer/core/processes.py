"""Processes of this machine."""

from __future__ import annotations

import os


def is_alive(process: int) -> bool:
    """Whether a process with this id runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # the latter: a number that no process can have
        return False
    except PermissionError:
        return True
    return True
