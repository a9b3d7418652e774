"""Keys from a terminal, one by one. Only on systems with termios; elsewhere, and without a terminal, lines are read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
"""By the last character of what an arrow key sends: ESC [ A, or ESC O A."""

NAMES = {"\x1b": "escape", "\r": "enter", "\n": "enter", "\x7f": "back", "\x08": "back"}
END = "\x04"
"""Ctrl-D."""


def have_keys() -> bool:
    """Whether keys can be read: standard input and output are a terminal of a system that can do that."""
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def keys() -> Iterator[Iterator[str]]:
    """Read keys without Enter and without showing them. Ctrl-C still interrupts."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield names(characters(terminal))
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def characters(terminal: int) -> Iterator[str]:
    """What comes in, piece by piece, until the end."""
    while part := os.read(terminal, 64):
        yield part.decode(errors="ignore")


def names(parts: Iterator[str]) -> Iterator[str]:
    """The keys: `up`, `down`, `left`, `right`, `enter`, `back`, `escape`, or a character that can be printed."""
    for part in parts:
        at = 0
        while at < len(part):
            if part[at] == "\x1b" and part[at + 1 : at + 2] in ("[", "O") and part[at + 2 : at + 3] in ARROWS:
                yield ARROWS[part[at + 2]]
                at += 3
                continue
            key = {"\x1b": "escape", "\r": "enter", "\n": "enter", "\x7f": "back", "\x08": "back", "\x04": "end"}.get(
                part[at]
            )
            if key == "end":
                return
            if key or part[at].isprintable():
                yield key or part[at]
            at += 1
