"""A process that the loop starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer.core.arguments import arguments_of
from trainer.core.errors import TrainerError
from trainer.core.signals import INTERRUPTED, PARENT_VARIABLE
from trainer.replay.database.connection import BUSY_SECONDS

STOP_SECONDS = BUSY_SECONDS + 10.0
"""Time that a process gets to stop by itself. It may be waiting for a database that another program has locked."""

LAST_BYTES = 2**16
"""Bytes of the end of a log in which its last line is looked for."""


class Child:
    """A command in a process of its own. It writes to its own log, and ends if this process dies."""

    def __init__(self, name: str, module: str, config: Any, logs: Path) -> None:
        """Start `python -m module` with the settings of `config`; its log is `<logs>/<name>.log`.

        The log of the start before becomes `<name>.log.1`, because it may say why that one failed.
        """
        self.name = name
        self.killed = False
        """Whether this process killed it, because it didn't stop."""
        self.log = logs / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(logs / f"{name}.log.1")
        with open(self.log, "wb") as output:
            self._process = subprocess.Popen(
                # Without -P a trainer.py or a random.py of the working folder would be imported in place of the right one.
                [sys.executable, "-P", "-m", module, *arguments_of(config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for this process, which then stops the others in order
                env=os.environ | {PARENT_VARIABLE: str(os.getpid())},
            )

    @property
    def status(self) -> int | None:
        """The exit status; None while it runs."""
        return as_in_a_shell(self._process.poll())

    def stop(self) -> int:
        """Ask it to stop, and wait; returns its exit status. After STOP_SECONDS it is killed."""
        if self.status is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.killed = True
            self._process.kill()
            self._process.wait()
        assert self.status is not None
        return self.status

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it has started; nothing if it has ended: its id may be another process's then."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    @property
    def failure(self) -> str | None:
        """A sentence with its last words, if it failed."""
        if self.status in (None, 0, INTERRUPTED):
            return None
        if self.killed:
            return (
                f"the {self.name} didn't end within {STOP_SECONDS:g} s of being asked to, and was killed; what was saved is "
                f"kept. Its log is {self.log}"
            )
        if self.status == -signal.SIGKILL:
            return f"the {self.name} was killed, as the system does when memory runs out; see {self.log}"
        return f"the {self.name} failed ({self.last_words.removeprefix('error: ')}); see {self.log}"

    @property
    def last_words(self) -> str:
        """The last line of its log, without the time. Only the end of the log is read, which a long run may make large."""
        try:
            with open(self.log, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_BYTES))
                content = file.read()
        except OSError:
            return "its log can't be read"
        lines = content.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return re.sub(r"^[\d:]+ (DEBUG|INFO|WARNING|ERROR) ", "", lines[-1])

    def raise_failure(self) -> None:
        """Raise TrainerError with its last words, if it failed."""
        if self.failure:
            raise TrainerError(self.failure)

    def raise_exit(self) -> None:
        """Raise TrainerError if the process exited although nobody here stopped it."""
        self.raise_failure()
        if self.status is not None:
            raise TrainerError(f"the {self.name} was stopped from outside; start again with --resume to go on")


def as_in_a_shell(status: int | None) -> int | None:
    """An exit status, with INTERRUPTED for a process that SIGINT or SIGTERM ended.

    Python ends itself by SIGINT, after all that we do, if a library ran Python code when the process was interrupted.
    SIGTERM ends a process that has just started, and knows no better.
    """
    return INTERRUPTED if status in (-signal.SIGINT, -signal.SIGTERM) else status
