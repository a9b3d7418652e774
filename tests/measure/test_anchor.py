"""The Elo of a run's models against an earlier one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from small_models import write_model

from trainer.evaluators.onnx_file import OnnxEvaluator, load_evaluator
from trainer.measure import anchor
from trainer.measure.anchor import GAMES, Anchor, last_elo
from trainer.run.evaluations import EvaluationLog


def model(folder: Path, step: int) -> OnnxEvaluator:
    """A model of tic-tac-toe with random weights."""
    path = write_model(folder / f"{step}.onnx", "tictactoe", seed=step, step=step)
    return load_evaluator(path, "tictactoe")


def play_to(score: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every match end with this score."""

    class Result:
        """A match, as far as it is looked at."""

    result = Result()
    result.score = score  # type: ignore[attr-defined]
    monkeypatch.setattr(anchor, "play_match", lambda *_: result)


def test_the_first_model_has_the_elo_that_is_given(tmp_path: Path) -> None:
    """So a resumed run goes on where it was."""
    first = model(tmp_path, 1)
    rating = Anchor("tictactoe", 0, 150.0)
    for _ in range(2):
        assert rating.rate(first) == {"elo": 150.0, "elo_interval_95": [150.0, 150.0], "elo_against": 1}


def test_differences_add_up_when_an_anchor_is_clearly_beaten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """74 points of 100 aren't clear enough, 76 are. Half a point is added, so that 100 of 100 are no infinite Elo."""
    models = [model(tmp_path, step) for step in range(4)]
    rating = Anchor("tictactoe", 0)
    rating.rate(models[0])

    def worth(points: float) -> float:
        share = (points + 0.5) / (GAMES + 1)
        return 400 * math.log10(share / (1 - share))

    play_to(0.74, monkeypatch)
    assert rating.rate(models[1])["elo"] == pytest.approx(worth(74), abs=0.05)
    play_to(0.76, monkeypatch)
    found = rating.rate(models[2])
    assert (found["elo_against"], found["elo"]) == (0, pytest.approx(worth(76), abs=0.05))
    play_to(1.0, monkeypatch)
    found = rating.rate(models[3])
    assert (found["elo_against"], found["elo"]) == (2, pytest.approx(worth(76) + worth(100), abs=0.1))
    low, high = found["elo_interval_95"]
    assert 0 < low < found["elo"] < high < 3000


def test_the_games_are_between_the_raw_policies(tmp_path: Path) -> None:
    """Models that play alike have 0 Elo: from each opening both seats are played."""
    rating = Anchor("tictactoe", 0)
    rating.rate(model(tmp_path, 5))
    (tmp_path / "again").mkdir()
    found = rating.rate(model(tmp_path / "again", 5))
    assert found["elo"] == 0
    assert found["elo_interval_95"][0] == -found["elo_interval_95"][1]


def test_a_resumed_run_goes_on_from_the_last_elo(tmp_path: Path) -> None:
    """Evaluations without one, of an earlier version, are passed over."""
    evaluations = EvaluationLog(tmp_path)
    assert last_elo(evaluations) == 0
    for entry in ({"elo": 10.5}, {"elo": 99.5}, {"win_rate": 1.0}):
        evaluations.append(entry)
    assert last_elo(evaluations) == 99.5
