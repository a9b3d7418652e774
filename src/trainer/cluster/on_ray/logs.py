"""The log of a Ray actor, which Ray passes on to the driver."""

from __future__ import annotations

import logging
import sys


def log_to_ray(level: str) -> None:
    """Write the log to standard error, in the form of a command's."""
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr, force=True
    )
