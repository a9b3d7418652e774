"""tools/strength_run.py: what can't be measured is refused before the training."""

from __future__ import annotations

import sys
from pathlib import Path

import endless
import pytest

from tools import strength_run


class TrainingBeganError(Exception):
    """Raised in place of a training."""


def run(monkeypatch: pytest.MonkeyPatch, env_id: str, out: Path) -> None:
    """Run the program with --solve, up to the training."""

    def began(*_: object) -> None:
        raise TrainingBeganError

    monkeypatch.setattr(strength_run, "train", began)
    flags = ["--env-id", env_id, "--minutes", "60", "--solve", "--out", str(out), "--data-dir", str(out / "data")]
    monkeypatch.setattr(sys, "argv", ["strength_run.py", *flags])
    strength_run.main()


def test_a_game_that_can_not_be_solved_is_refused_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not hours later. The message is one line."""
    with pytest.raises(SystemExit) as error:
        run(monkeypatch, str(endless.__file__), tmp_path / "out")
    message = str(error.value.code)
    assert message.startswith("error: wrong moves can't be counted in ")
    assert message.endswith("because a position can come back in the same game")
    assert "\n" not in message
    assert not (tmp_path / "out").exists()


def test_a_game_that_can_be_solved_is_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All positions of tic-tac-toe can be visited."""
    with pytest.raises(TrainingBeganError):
        run(monkeypatch, "tictactoe", tmp_path / "out")
