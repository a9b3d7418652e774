"""Waiting for what another thread or process does."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence

PATIENCE = 600.0
"""Seconds after which something counts as hanging: many times what it takes on one core that is busy with other work."""


def wait_until(condition: Callable[[], object], what: str, *ended: Sequence[object]) -> None:
    """Check twenty times per second until `condition` holds.

    Fails with `what` after PATIENCE, and as soon as one of `ended` holds the result of work that should still go on.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert not any(ended), f"{what}: the work ended with {[*ended]}"
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def dead_process() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
