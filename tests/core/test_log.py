"""The log of a process."""

from __future__ import annotations

import logging

import pytest

from trainer.core.log import Trouble


def test_trouble_is_logged_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever its text, which may hold a percent sign."""
    trouble = Trouble(logging.getLogger("test"))
    trouble.end()
    for text in ("100% full", "still full"):
        trouble.begin(text)
    trouble.end()
    trouble.begin("full again")
    assert caplog.messages == ["100% full", "full again"]
