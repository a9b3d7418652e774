"""The log of a process."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from rich.console import Console
from rich.live import Live

from trainer.core.log import ToStandardError, Trouble


def test_lines_go_above_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """A display that is drawn takes the place of standard error. What went past it would be wiped out at its next redraw."""
    terminal = StringIO()
    monkeypatch.setattr("sys.stderr", terminal)
    handler = ToStandardError()
    record = logging.LogRecord("test", logging.WARNING, "", 0, "the disk is full", None, None)
    with Live("table", console=Console(file=terminal, force_terminal=True), auto_refresh=False) as live:
        live.update("table", refresh=True)
        terminal.truncate(0)
        handler.emit(record)
        drawn = terminal.getvalue()
    assert "table" in drawn[drawn.index("the disk is full") :]
    handler.emit(record)
    assert terminal.getvalue().endswith("the disk is full\n")


def test_trouble_is_logged_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever its text, which may hold a percent sign."""
    trouble = Trouble(logging.getLogger("test"))
    trouble.end()
    for text in ("100% full", "still full"):
        trouble.begin(text)
    trouble.end()
    trouble.begin("full again")
    assert caplog.messages == ["100% full", "full again"]
