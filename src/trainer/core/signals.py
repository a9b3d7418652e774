"""How a process learns that it should stop: Ctrl-C, SIGTERM, or the death of its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, current_thread, main_thread
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG = 1
"""Of prctl(2)."""
INTERRUPTED = 130
"""Exit status after Ctrl-C or SIGTERM."""
PARENT_VARIABLE = "CARTRIDGE_PARENT"
"""Environment variable with the process id of the loop that a command belongs to."""
SHOW_CURSOR = b"\x1b[?25h"
"""What makes a terminal show its cursor again."""

SAME_REQUEST_SECONDS = {signal.SIGINT: 0.1, signal.SIGTERM: 1.0}
"""A signal this soon after the first one is the same request. timeout(1) repeats a Ctrl-C of the terminal at once. systemd
and SLURM send SIGTERM to every process of a group, and a loop then sends it to its own once more."""

_last_acts: list[Callable[[], None]] = []
_asked = Event()
"""Set once a signal asks a process of `stop_on_signals` to stop."""
_preparing = Event()
"""Set within `nothing_to_finish`."""


def leave_on_signals() -> None:
    """Exit immediately on Ctrl-C or SIGTERM: for the seconds of imports, when there is nothing to finish."""
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)


def heed_signals() -> None:
    """Undo `leave_on_signals`: from here on both raise KeyboardInterrupt, so that work in progress can be finished.

    If the exception comes up in a callback of C code or of a weak reference, Python would print it and go on. So the process
    ends at once there.
    """
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, _interrupt)  # the default is ignored by the first process of a container
        sys.unraisablehook = _leave_if_interrupted


def _interrupt(number: int, frame: FrameType | None) -> None:
    leave_on_signals()  # for a second signal, whatever is in progress then
    raise KeyboardInterrupt


def _leave(number: int, frame: FrameType | None) -> None:
    _end_with(b"interrupted\n")


def _leave_if_interrupted(ignored: sys.UnraisableHookArgs) -> None:
    if isinstance(ignored.exc_value, KeyboardInterrupt):
        _end_with(b"interrupted\n")
    sys.__unraisablehook__(ignored)


@contextmanager
def before_leaving(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` if a signal ends the process at once within the block, for example to give the terminal back."""
    _last_acts.append(act)
    try:
        yield
    finally:
        _last_acts.remove(act)


@contextmanager
def suspendable(before: Callable[[], None], after: Callable[[], None]) -> Iterator[None]:
    """Within the block Ctrl-Z calls `before`, suspends this process, and `fg` calls `after`.

    Where no shell could continue it, as in `docker exec -it`, the system ignores Ctrl-Z, and `after` is called at once. Does
    nothing in another than the main thread, which alone may change how signals are handled.
    """

    def suspend(number: int, frame: FrameType | None) -> None:
        before()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # returns when this process is continued
        signal.signal(signal.SIGTSTP, suspend)
        after()

    if current_thread() is not main_thread():
        yield
        return
    handler = signal.signal(signal.SIGTSTP, suspend)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, handler)


def show_cursor() -> None:
    """Let the terminal of standard error, if it is one, show its cursor."""
    if os.isatty(2):
        os.write(2, SHOW_CURSOR)


def _end_with(line: bytes) -> NoReturn:
    """Write a last line to standard error, if anyone reads it, and exit."""
    for act in _last_acts:
        with suppress(Exception):  # a terminal that is gone, say: nothing may keep the process
            act()
    with suppress(OSError):
        os.write(2, line)
    os._exit(INTERRUPTED)


def stop_on_signals() -> Event:
    """An event that Ctrl-C, SIGTERM or a closed terminal sets, so that a loop can stop at a good moment. A second Ctrl-C or
    SIGTERM exits immediately, but for one that `means_to_leave` doesn't count.

    That works even while the main thread waits for a disk or a lock, because another thread counts the signals. Files are
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
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # the terminal is closed; `nohup` lets a process ignore it
        signal.signal(signal.SIGHUP, ask)
    Thread(target=_leave_at_second, args=(heard,), daemon=True).start()
    if parent := os.environ.get(PARENT_VARIABLE):
        _go_on_without_parent()
        Thread(target=_stop_without_parent, args=(int(parent), stop), daemon=True).start()
    return stop


def started_by_loop() -> bool:
    """Whether a loop started this process."""
    return PARENT_VARIABLE in os.environ


@contextmanager
def nothing_to_finish() -> Iterator[None]:
    """Within the block one signal ends a process of `stop_on_signals` at once: for compilation, before the work begins.

    So does one that came before.
    """
    _preparing.set()
    if _asked.is_set():
        _end_with(b"interrupted\n")
    try:
        yield
    finally:
        _preparing.clear()


def _leave_at_second(heard: int) -> None:
    """Exit after the second signal that asks to stop, or the first while there is nothing to finish. A byte arrives per
    signal that Python handles, also of Ctrl-Z."""
    first: float | None = None
    while True:
        for number in os.read(heard, 16):
            if number not in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                continue
            _asked.set()
            if number == signal.SIGHUP:  # it asks to stop, but never to leave at once what must be finished
                continue
            if first is not None and means_to_leave(number, time.monotonic() - first):
                _end_with(b"interrupted twice: leaving at once\n")
            first = time.monotonic() if first is None else first
        if _asked.is_set() and _preparing.is_set():
            _end_with(b"interrupted\n")


def means_to_leave(number: int, seconds: float) -> bool:
    """Whether a further SIGINT or SIGTERM, `seconds` after the first signal, asks to leave at once.

    It doesn't if it is the same request. Nor does a SIGTERM to a process of a loop that lives: the loop kills it if it
    doesn't end.
    """
    waited_for = number == signal.SIGTERM and os.environ.get(PARENT_VARIABLE) == str(os.getppid())
    return seconds >= SAME_REQUEST_SECONDS[signal.Signals(number)] and not waited_for


def _go_on_without_parent() -> None:
    """Have Linux continue this process when its parent dies. Ctrl-Z stops it with the loop, which may be killed then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


def _stop_without_parent(parent: int, stop: Event) -> None:
    """Set `stop` once the parent process is gone, so that a killed loop leaves nothing running."""
    while os.getppid() == parent:
        if stop.wait(1.0):
            return
    stop.set()
