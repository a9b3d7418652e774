"""Output of a process that goes on without its terminal, or without the reader of its output."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest

from trainer.core.command import run_command
from trainer.core.output import LastingStream, outliving, say


@pytest.fixture(params=["pipe", "terminal"])
def left(request: pytest.FixtureRequest) -> Iterator[TextIO]:
    """A stream that nobody can read any more."""
    if request.param == "pipe":
        reading, writing = os.pipe()
    else:
        reading, writing = pytest.importorskip("pty", reason="needs pseudo-terminals").openpty()
    os.close(reading)
    with open(writing, "w") as stream:
        yield stream


def test_what_nobody_reads_is_no_error(left: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at once nor later."""
    monkeypatch.setattr("sys.stdout", left)
    for _ in range(2):
        say("done")
        print("more", flush=True)


def test_a_display_outlives_its_terminal(left: TextIO) -> None:
    """All else of the stream is as before."""
    lasting = LastingStream(left)
    for _ in range(2):
        assert lasting.write("drawn") == 5
        lasting.flush()
    assert lasting.fileno() == left.fileno()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody waits for that file."""
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        with pytest.raises(OSError, match="No space left"):
            say("done")
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # or closing it would fail, too


@dataclass(frozen=True)
class Nothing:
    """No flags."""


def test_an_interrupted_command_says_so_even_if_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its exit status: `| tee` dies of the same Ctrl-C."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)

        def interrupted(_: Nothing) -> int:
            print("Interrupted and saved")
            return 130

        assert run_command(Nothing, interrupted, "nothing", []) == 130


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A disk may answer as a closed terminal does."""
    with open(tmp_path / "log", "w") as log, pytest.raises(OSError, match="Input/output"), outliving(log):
        raise OSError(errno.EIO, "Input/output error")
