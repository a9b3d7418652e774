"""In continuous integration no test is skipped because something isn't installed."""

from __future__ import annotations

import pytest
from conftest import judged


@pytest.mark.parametrize(
    ("ci", "reason", "outcome"),
    [
        ("true", "no chromium on this machine", "failed"),
        ("true", "could not import 'tensorboard': No module named 'tensorboard'", "failed"),
        ("true", "needs root and unshare", "skipped"),
        ("", "no chromium on this machine", "skipped"),
    ],
)
def test_a_skip_in_continuous_integration_fails(
    monkeypatch: pytest.MonkeyPatch, ci: str, reason: str, outcome: str
) -> None:
    """Unless the machine can't be otherwise. The reason is still to be read."""
    monkeypatch.setenv("CI", ci)
    skipped = ("test_a.py", 1, f"Skipped: {reason}")
    for report in (
        pytest.TestReport("test_a.py::test_b", ("test_a.py", 1, "test_b"), {}, "skipped", skipped, "setup"),
        pytest.CollectReport("test_a.py", "skipped", skipped, None),
    ):
        assert judged(report).outcome == outcome
        assert reason in str(report.longrepr)
