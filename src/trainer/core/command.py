"""A command: its flags, its log, its exit status.

Exit status: 0 done, 1 failed (one line on standard error says why), 2 a flag that doesn't parse or a wait that timed out,
130 interrupted. An actor and the page, which run until they are stopped, end with 0 then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import TypeVar

from trainer.core.arguments import parse
from trainer.core.errors import TrainerError
from trainer.core.log import log_to_stderr
from trainer.core.output import write_nowhere
from trainer.core.signals import INTERRUPTED, heed_signals

Config = TypeVar("Config")


def run_command(
    config: type[Config],
    command: Callable[[Config], int],
    prog: str,
    arguments: Sequence[str] | None = None,
    complete: Callable[[Sequence[str]], Config] | None = None,
) -> int:
    """Parse `arguments` (default: the process's) into a `config`, run `command` on it, and return the exit status.

    A field `log_level` sets the level of the log, which goes to standard error. `complete` parses in place of
    `trainer.core.arguments.parse`, for defaults that depend on the arguments themselves.
    """
    words = sys.argv[1:] if arguments is None else arguments

    def run() -> int:
        parsed = complete(words) if complete else parse(config, prog, words)
        log_to_stderr(getattr(parsed, "log_level", "INFO"))
        heed_signals()
        return command(parsed)

    return status_of(run)


def status_of(run: Callable[[], int]) -> int:
    """The exit status of a program that does `run`. What goes wrong becomes one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what the terminal can't show is no reason to fail
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # nor is what isn't UTF-8
    status = 0
    try:
        status = run()
        if sys.stdout:  # it may be closed
            sys.stdout.flush()  # here, where it is known what to do if that fails
        return status
    except BrokenPipeError:  # the reader has seen enough, as in `... | head`; what had to be saved was saved before
        write_nowhere(sys.stdout)
        return status
    except TrainerError as error:
        complain(f"error: {error}")
        return error.exit_status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complain(f"error: {where}{error.strerror or error}")
        return 1
    except MemoryError as error:
        what, _, _ = str(error).partition(" for an array")  # NumPy's text goes on with its shape and its fields
        complain(f"error: not enough memory ({what or 'of this machine'}); ask for less")
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED


def complain(text: str) -> None:
    """Print a line to standard error, if anybody is there to read it."""
    if sys.stderr:  # print would take standard output in place of None
        with suppress(OSError):
            print(text, file=sys.stderr)
