"""The log of a process."""

from __future__ import annotations

import logging
import sys
from typing import TextIO


def log_to_stderr(level: str, force: bool = False) -> None:
    """Write the log to standard error, from this level on. `force`: also where a library has set up a log of its own."""
    logging.basicConfig(
        level=level,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=[ToStandardError()],
        force=force,
    )


class ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment: while a display is drawn there, lines must go above it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        super().emit(record)


class Trouble:
    """What goes wrong again and again until it is over, and is logged once."""

    def __init__(self, log: logging.Logger) -> None:
        """`log` gets what is said of it."""
        self.goes_on = False
        """Whether it has begun, and isn't over."""
        self._log = log

    def begin(self, text: str) -> None:
        """Log a warning, unless the trouble has begun before."""
        if not self.goes_on:
            self._log.warning("%s", text)
        self.goes_on = True

    def end(self, text: str = "") -> None:
        """It is over, so the next trouble is logged again. Log `text` if there was one."""
        if text and self.goes_on:
            self._log.info("%s", text)
        self.goes_on = False
