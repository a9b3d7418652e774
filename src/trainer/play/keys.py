"""Keys from a terminal, one by one. Only on systems with termios; elsewhere, and without a terminal, lines are read."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainer.core.signals import SHOW_CURSOR, before_leaving, suspendable

ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
"""By the last character of what an arrow key sends: ESC [ A, or ESC O A."""
NAMES = {"\x1b": "escape", "\r": "enter", "\n": "enter", "\x7f": "back", "\x08": "back"}
END = "\x04"
"""Ctrl-D."""
KEY = re.compile(r"\x1b\[[0-9;?]*[@-~]|\x1bO[@-~]|.", re.DOTALL)
UNFINISHED = re.compile(r"\x1b(\[[0-9;?]*|O)?\Z")
"""The beginning of what a key sends, whose rest may come with the next piece; or the Escape key."""
REST_SECONDS = 0.05
"""How long that rest may take."""


def have_keys() -> bool:
    """Whether keys can be read: standard input and output are a terminal of a system that can do that."""
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return bool(sys.stdin and sys.stdout) and sys.stdin.isatty() and sys.stdout.isatty()  # either may be closed


@contextmanager
def keys(suspended: Callable[[], None], resumed: Callable[[], None]) -> Iterator[Iterator[str]]:
    """Read keys without Enter and without showing them. Ctrl-C still interrupts, and Ctrl-Z suspends.

    `suspended` is called before the process is suspended, and `resumed` when it goes on. The terminal is given back as it
    was: at the end, while suspended, and also if a second Ctrl-C ends the process at once.
    """
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def take() -> None:
        tty.setcbreak(terminal, termios.TCSANOW)
        mode = termios.tcgetattr(terminal)
        mode[6][termios.VQUIT] = bytes([os.fpathconf(terminal, "PC_VDISABLE")])  # Ctrl-\ would not give it back
        termios.tcsetattr(terminal, termios.TCSANOW, mode)

    def give_back() -> None:
        termios.tcflush(terminal, termios.TCIFLUSH)  # keys that were meant for the game
        termios.tcsetattr(terminal, termios.TCSANOW, before)  # without waiting for the output: that could block
        os.write(sys.stdout.fileno(), SHOW_CURSOR)

    def suspend() -> None:
        suspended()
        give_back()

    def resume() -> None:
        take()
        resumed()

    take()
    try:
        with suspendable(suspend, resume), before_leaving(give_back):
            yield names(characters(terminal))
    finally:
        give_back()


def forget_keys() -> None:
    """Drop the keys that were pressed and not read yet."""
    import termios

    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def characters(terminal: int) -> Iterator[str]:
    """What comes in, piece by piece, until the end; what one key sends is in one piece."""
    decoder, text = codecs.getincrementaldecoder("utf-8")("ignore"), ""
    while part := os.read(terminal, 64):
        text += decoder.decode(part)
        if UNFINISHED.search(text) and select.select([terminal], [], [], REST_SECONDS)[0]:
            continue
        yield text
        text = ""
    yield text


def names(parts: Iterator[str]) -> Iterator[str]:
    """The keys: `up`, `down`, `left`, `right`, `enter`, `back`, `escape`, or a character that can be printed.

    Other keys are left out. Ctrl-D ends it.
    """
    for part in parts:
        for key in KEY.findall(part):
            if key == END:
                return
            if key[0] == "\x1b" and len(key) > 1:
                if key[1:-1] in ("[", "O") and key[-1] in ARROWS:
                    yield ARROWS[key[-1]]
            elif key in NAMES:
                yield NAMES[key]
            elif key.isprintable():
                yield key
