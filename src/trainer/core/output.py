"""Output of a process that goes on without its terminal, or without the reader of its output."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

GONE = (errno.EPIPE, errno.EIO)
"""What writing fails with if the reader of a pipe has ended, and if a terminal was closed."""


@contextmanager
def outliving(stream: TextIO | None) -> Iterator[None]:
    """A block that writes to `stream`. If nobody is there to read it any more, this and all that follows goes nowhere."""
    try:
        yield
    except OSError as error:
        if error.errno not in GONE or stream is None or stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise  # of a disk, say
        write_nowhere(stream)


def write_nowhere(stream: TextIO) -> None:
    """Let all that is written to `stream` from now on go nowhere, also what still waits to be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(text: str) -> None:
    """Print a line to standard output, if anybody is there to read it. Raises OSError if it can't be written, as on a full
    disk."""
    with outliving(sys.stdout):
        print(text, flush=True)


class LastingStream:
    """A text stream to write to, such as standard error, that takes no harm if its reader or its terminal is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As that of `stream`."""
        with outliving(self._stream):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As that of `stream`."""
        with outliving(self._stream):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
