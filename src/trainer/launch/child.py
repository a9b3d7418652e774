"""A process that the loop starts."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from trainer.core.errors import TrainerError
from trainer.core.signals import INTERRUPTED, PARENT_VARIABLE

PATIENCE = 30.0
"""Seconds that it gets to end by itself."""


class Child:
    """It writes to a log of its own, and ends when this process does."""

    def __init__(self, name: str, arguments: list[str], folder: Path) -> None:
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as output:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the others in order
                env=os.environ | {PARENT_VARIABLE: str(os.getpid())},
            )

    @property
    def status(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.poll()

    def stop(self) -> int:
        """Ask it to end and wait until it has."""
        if self.status is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    @property
    def failure(self) -> str | None:
        """Its last words, if it failed."""
        if self.status in (None, 0, INTERRUPTED):
            return None
        return f"the {self.name} failed ({self.last_words.removeprefix('error: ')}); see {self.log}"

    @property
    def last_words(self) -> str:
        """The last line of its log, without the time."""
        lines = self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        return lines[-1].rpartition(" INFO ")[2]

    def raise_failure(self) -> None:
        """Raise TrainerError with its last words, if it failed."""
        if self.failure:
            raise TrainerError(self.failure)

    def raise_end(self) -> None:
        """Raise TrainerError if it is at work no more, though nobody here has ended it."""
        self.raise_failure()
        if self.status is not None:
            raise TrainerError(f"the {self.name} was ended from outside; start again with --resume to go on")
