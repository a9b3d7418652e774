"""The process of an engine: lines to it, lines from it, each within a deadline."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import IO, NoReturn

from trainer.core.errors import ConfigError, EngineError

PATIENCE = 1.0
"""Seconds that an engine gets to end by itself, before it is killed."""
LONGEST_LINE = 1_000_000
"""Bytes without an end of line after which an answer makes no sense."""
LONGEST_WAIT = 3600.0
"""Seconds that are waited at a time: the system refuses some weeks."""
LAST_BYTES = 400
"""How much of what the engine wrote to standard error is kept for messages."""


def split_command(text: str) -> tuple[list[str], list[str]]:
    """The words of an engine's command, and the lines that it gets first, which follow it after semicolons.

    Quotes work as in a shell. Raises ConfigError if one is missing, or there is no command.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";")
    lexer.whitespace_split = True
    lexer.commenters = ""
    parts: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word.strip(";") or not word:  # an empty word stood in quotes
                parts[-1].append(word)
            else:
                parts.append([])
    except ValueError as error:
        raise ConfigError(
            f"the command of the engine, {text.strip()}, can't be read ({error}); check its quotes"
        ) from error
    if not parts[0]:
        raise ConfigError("the engine has no command; give one, as in --opponent 'gtp: gnugo --mode gtp'")
    return parts[0], [" ".join(line) for line in parts[1:] if line]


class EngineProcess:
    """An engine that runs. It is ended when nothing refers to this object any more, and at the latest when Python exits."""

    def __init__(self, words: list[str], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start a program with its arguments, `words`. `seconds` is how long one answer may take; `clock` tells seconds.

        Raises EngineError if the program can't be started.
        """
        self.command = shlex.join(words)
        self.seconds = seconds
        self._clock = clock
        try:
            # A session of its own: Ctrl-C reaches us alone, and its own children are ended with it.
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(
                f"the engine {self.command!r} can't be started ({error.strerror or error}); install it, or give its full "
                f"path, such as /usr/games/gnugo"
            ) from error
        self._input, self._output, self._errors = pipes(self._process)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ)
        self._selector.register(self._errors, selectors.EVENT_READ)
        self._unread = b""
        self._said = b""
        self._request = "its start"
        self._deadline = 0.0
        self._late = False
        self.stop = weakref.finalize(self, end, self._process, self._selector)

    def send(self, line: str) -> None:
        """Send a line. The time for the answer starts now."""
        self._request = repr(line)
        self._deadline = self._clock() + self.seconds
        self._late = False
        try:
            self._input.write(f"{line}\n".encode())
        except OSError:
            self._fail_as_dead()

    def read_line(self) -> str:
        """The next line of the answer, without its end. Raises EngineError if the engine dies, or is too slow."""
        while True:
            line, end_of_line, rest = self._unread.partition(b"\n")
            if end_of_line:
                self._unread = rest
                return line.decode(errors="replace").rstrip("\r")
            if len(line) > LONGEST_LINE:
                raise EngineError(
                    f"the engine {self.command!r} answers {self._request} by more than {LONGEST_LINE:,} bytes without an "
                    f"end of line; is it a program that plays?"
                )
            left = self._deadline - self._clock()
            if self._late:
                raise EngineError(
                    f"the engine {self.command!r} has not answered {self._request} after {self.seconds:g} s"
                    f"{self.last_words()}; does it speak this protocol? If so, let it think less, or give it more time "
                    f"with --engine-seconds"
                )
            self._late = left <= 0  # what has come by now is still read: this process may have been suspended
            if not self._receive(max(left, 0.0)):
                self._fail_as_dead()

    def last_words(self) -> str:
        """The end of what the engine wrote to standard error, for the middle of a message; empty if it wrote nothing."""
        for _ in range(2):  # what a pipe holds, and that it is closed
            for key, _ in self._selector.select(0):  # the answers may be at their end already, and stay so
                if key.fileobj is self._errors:
                    self._hear()
        said = " / ".join(self._said.decode(errors="replace").split("\n")).strip(" /\r")
        return f" (standard error ends with: {said})" if said else ""

    def _receive(self, seconds: float) -> bool:
        """Wait for output of either kind and keep it; returns whether the engine's answers can go on."""
        for key, _ in self._selector.select(min(seconds, LONGEST_WAIT)):
            if key.fileobj is self._errors:
                self._hear()
            elif received := os.read(key.fd, 65536):
                self._unread += received
            else:
                return False
        return True

    def _hear(self) -> None:
        """Keep the end of what the engine has written to standard error."""
        received = os.read(self._errors.fileno(), 65536)
        self._said = (self._said + received)[-LAST_BYTES:]
        if not received:
            self._selector.unregister(self._errors)

    def _fail_as_dead(self) -> NoReturn:
        """Raise the error of an engine that has ended, or has closed its input or output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        status = self._process.poll()
        how = "without ending" if status is None else f"exit status {status}" if status >= 0 else f"signal {-status}"
        raise EngineError(
            f"the engine {self.command!r} has gone ({how}) instead of answering {self._request}{self.last_words()}; try "
            f"its command in a terminal"
        )


def end(process: subprocess.Popen[bytes], selector: selectors.BaseSelector) -> None:
    """End an engine and what it started: with its input at an end, or by force."""
    standard_input, output, errors = pipes(process)
    selector.close()
    with suppress(OSError):
        standard_input.write(b"quit\n")  # in GTP and in UCI
    standard_input.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, if only zombies are left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    output.close()
    errors.close()


def pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    """The standard input, output and error of a process that was started with pipes for all three."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdin, process.stdout, process.stderr
