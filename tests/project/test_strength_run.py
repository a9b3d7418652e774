"""tools/strength_run.py: what can't be measured is refused before the training."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import strength_run
from trainer.core.errors import GameError


class TrainingBeganError(Exception):
    """Raised in place of a training."""


def run(monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
    """Run the program with --solve, up to the training."""

    def began(*_: object) -> None:
        raise TrainingBeganError

    monkeypatch.setattr(strength_run, "train", began)
    flags = ["--env-id", "tictactoe", "--minutes", "60", "--solve", "--out", str(out), "--data-dir", str(out / "data")]
    monkeypatch.setattr(sys, "argv", ["strength_run.py", *flags])
    strength_run.main()


def test_a_game_that_can_not_be_solved_is_refused_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not hours later. The message is one line."""

    def refuse(env_id: str) -> None:
        raise GameError(f"wrong moves can't be counted in {env_id}")

    monkeypatch.setattr(strength_run, "scored_positions_of", refuse)
    with pytest.raises(SystemExit) as error:
        run(monkeypatch, tmp_path / "out")
    assert error.value.code == "error: wrong moves can't be counted in tictactoe"
    assert not (tmp_path / "out").exists()


def test_a_game_that_can_be_solved_is_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All positions of tic-tac-toe can be visited."""
    with pytest.raises(TrainingBeganError):
        run(monkeypatch, tmp_path / "out")
