"""The short form of `make torture`: the same programs, less of everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def torture(module: str, *arguments: object) -> str:
    """Run a program of tests/torture; returns what it printed."""
    paths = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", f"torture.{module}", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_death_at_some_points_loses_nothing(tmp_path: Path) -> None:
    """Every 30th write, sync, rename or statement; the resumed run ends in the same model."""
    assert "resumed each time to the same model" in torture("death", tmp_path / "run", 30)


def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    """Actor, trainer and loop, once each."""
    assert torture("kills", tmp_path, 3).count("killed 1 times") == 3


def test_many_at_one_database_lose_nothing(tmp_path: Path) -> None:
    """Five seconds of four actors, a trainer, a reader of games and a foreign writer."""
    assert "no lock reached anybody else" in torture("crowd", tmp_path / "run", 5)


@pytest.mark.parametrize("inputs", [500])
def test_damaged_inputs_are_refused_or_read_right(tmp_path: Path, inputs: int) -> None:
    """Databases, models, checkpoints and statistics, a hundred each."""
    assert torture("damage", tmp_path / "run", inputs).count(" 0 findings") == 5
