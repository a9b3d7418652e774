"""Packages that may not be installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trainer.core import packages
from trainer.core.errors import ConfigError
from trainer.core.packages import import_package, require_package, requirement_of


def test_a_package_that_is_missing_is_named_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip is to install it; the name of its module may be another. One that is there raises nothing."""
    require_package("numpy", "numpy", "a test needs NumPy")
    monkeypatch.setitem(sys.modules, "pyspiel", None)
    with pytest.raises(ConfigError) as refusal:
        require_package("pyspiel", "open_spiel", "a test needs OpenSpiel")
    assert str(refusal.value) == (
        "a test needs OpenSpiel, which is not installed; install it with: pip install 'open_spiel>=1.5'"
    )


def test_a_package_without_a_known_version_is_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that this program doesn't ask for, or any if the program itself isn't installed."""
    assert requirement_of("ray") == "ray>=2.52"
    assert requirement_of("ra") == "ra"
    monkeypatch.setattr(packages, "DISTRIBUTION", "not-installed-anywhere")
    assert requirement_of("ray") == "ray"


def test_a_package_that_is_broken_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, but what it needs isn't, as after an update of another package."""
    (tmp_path / "half_there.py").write_text("import what_is_gone\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError) as refusal:
        import_package("half_there", "half-there", "a test needs it")
    reason = "which can't be imported (No module named 'what_is_gone')"
    assert str(refusal.value) == f"a test needs it, {reason}; install it anew: pip install 'half-there'"
