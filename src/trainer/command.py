"""A command: flags from a dataclass, logging, exit status.

Exit status: 0 done, 1 failed (one line on standard error says why), 2 a flag that doesn't parse or a wait that timed out,
130 interrupted.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Literal, NoReturn, TypeVar

from trainer.errors import ConfigError, TrainerError
from trainer.files import TEMPORARY_PREFIX

INTERRUPTED = 130
PARENT_VARIABLE = "CARTRIDGE_PARENT"
"""Environment variable with the process id of the loop that a command belongs to."""
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Config = TypeVar("Config")


def run_command(
    config: type[Config],
    command: Callable[[Config], int],
    prog: str,
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse `arguments` (default: the process's) into a `config`, run `command` on it, and return the exit status.

    The config's docstring and field docstrings are the help text. A field `log_level` sets the level of logging, which
    goes to standard error.
    """
    import tyro  # here, so that importing this module takes no time in which Ctrl-C isn't heard

    parsed = tyro.cli(config, prog=prog, args=arguments, description=config.__doc__)
    logging.basicConfig(
        level=getattr(parsed, "log_level", "INFO"),
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    try:
        if signal.getsignal(signal.SIGINT) is _leave:  # from here on there are things to finish
            signal.signal(signal.SIGINT, _interrupt)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return command(parsed)
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except MemoryError as error:
        print(f"error: there is not enough memory ({error or 'of this machine'}); ask for less", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def require(condition: bool, message: str) -> None:
    """Raise ConfigError with `message` unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def require_seed(seed: int) -> None:
    """Raise ConfigError for a seed that not every generator takes."""
    require(0 <= seed < 2**63, f"--seed is {seed}; a number from 0 to 2^63 - 1 is needed")


def require_writable(folder: Path, flag: str) -> None:
    """Make `folder`, or raise ConfigError naming the flag that chose it where that can't be done or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"{TEMPORARY_PREFIX}{os.getpid()}-writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"can't write to the folder {folder} ({reason}); choose another with {flag}") from error


def leave_on_signals() -> None:
    """Have Ctrl-C or SIGTERM end the process at once: for the seconds of its imports, when there is nothing to finish."""
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)


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
