"""Ctrl-C, SIGTERM and a parent's death: how a process learns that it should end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from threading import Event, Thread
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130


PARENT_VARIABLE = "CARTRIDGE_PARENT"
"""Environment variable with the process id of the loop that a command belongs to."""


def leave_on_signals() -> None:
    """Have Ctrl-C or SIGTERM end the process at once: for the seconds of its imports, when there is nothing to finish."""
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)


def heed_signals() -> None:
    """Undo `leave_on_signals`: from here on Ctrl-C raises KeyboardInterrupt, so that what was begun can be finished."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    leave_on_signals()  # a second one, whatever is under way then
    raise KeyboardInterrupt


def _leave(number: int, frame: FrameType | None) -> None:
    _end_with(b"interrupted\n")


def _end_with(line: bytes) -> NoReturn:
    """Say it, where anybody can hear it, and end the process."""
    with suppress(OSError):
        os.write(2, line)
    os._exit(INTERRUPTED)


def stop_on_signals() -> Event:
    """An event that Ctrl-C or SIGTERM sets, so that a loop can end at a good moment; a second one ends the process at once.

    At once means also where the main thread waits for a disk or a lock: a thread of its own counts the signals. Files are
    complete or absent at every moment, so nothing is torn.
    """
    stop = Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    heard, hears = os.pipe()
    os.set_blocking(hears, False)
    signal.set_wakeup_fd(hears)
    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    Thread(target=_leave_at_second, args=(heard,), daemon=True).start()
    if parent := os.environ.get(PARENT_VARIABLE):
        Thread(target=_stop_without_parent, args=(int(parent), stop), daemon=True).start()
    return stop


def _leave_at_second(heard: int) -> None:
    """End the process at the second byte, one of which comes for each signal."""
    os.read(heard, 1)
    os.read(heard, 1)
    _end_with(b"interrupted twice: leaving at once\n")


def _stop_without_parent(parent: int, stop: Event) -> None:
    """Set `stop` when the process that started this one is gone, so that a killed loop leaves nothing running."""
    while os.getppid() == parent:
        if stop.wait(1.0):
            return
    stop.set()
