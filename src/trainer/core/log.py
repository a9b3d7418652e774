"""The log of a process."""

from __future__ import annotations

import logging
import sys


def log_to_stderr(level: str, force: bool = False) -> None:
    """Write the log to standard error, from this level on. `force`: also where a library has set up a log of its own."""
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr, force=force
    )
