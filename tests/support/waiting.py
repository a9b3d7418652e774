"""Waiting for what another thread or process does."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence

PATIENCE = 600.0
"""Seconds after which something counts as hanging: many times what it takes on one core that is busy with other work."""

Work = Sequence[object] | subprocess.Popen[str] | subprocess.Popen[bytes]
"""A list that gets the result of work as soon as it is over, or a process."""


def wait_until(condition: Callable[[], object], what: str, *going_on: Work) -> None:
    """Check twenty times per second until `condition` holds.

    Fails with `what` after PATIENCE, and as soon as work that should still go on is over.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        over = [work for work in going_on if is_over(work)]
        assert not over, f"{what}: the work ended with {over}"
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_over(work: Work) -> bool:
    """Whether there is a result, or the process has ended."""
    return work.poll() is not None if isinstance(work, subprocess.Popen) else bool(work)


def dead_process() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
