"""The Elo of a run's models against an earlier one."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_models import write_model

from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.measure import anchor
from trainer.measure.anchor import GAMES, Anchor, anchor_of, openings_of_two_matches
from trainer.measure.elo import elo_difference
from trainer.measure.intervals import wilson
from trainer.run.evaluations import EvaluationLog


def model(folder: Path, step: int) -> Evaluator:
    """A model of tic-tac-toe with random weights."""
    path = write_model(folder / f"{step}.onnx", "tictactoe", seed=step, step=step)
    return ModelLoader("tictactoe").load(path)


def result(groups: list[list[float]]) -> SimpleNamespace:
    """A match, as far as it is looked at, from the points of each opening's games."""
    return SimpleNamespace(grouped_points=groups, score=sum(map(sum, groups)) / GAMES)


def games_of(points: int) -> list[list[float]]:
    """Each opening is won twice or lost twice; for odd points one is won once."""
    games = [1.0] * points + [0.0] * (GAMES - points)
    return [games[number : number + 2] for number in range(0, GAMES, 2)]


def play_to(points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every match end with so many points."""
    monkeypatch.setattr(anchor, "play_match", lambda *_: result(games_of(points)))


def test_the_first_model_of_a_run_has_elo_0(tmp_path: Path) -> None:
    """By definition, so nothing is uncertain."""
    first, rating = model(tmp_path, 1), Anchor("tictactoe", 0)
    for _ in range(2):
        assert rating.rate(first) == {"elo": 0.0, "elo_interval_95": [0.0, 0.0], "elo_against": 1}


def test_differences_add_up_when_an_anchor_is_clearly_beaten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """74 points of 100 aren't clear enough, 76 are. Half a point is added, so that 100 of 100 are no infinite Elo."""
    models = [model(tmp_path, step) for step in range(4)]
    rating = Anchor("tictactoe", 0)
    rating.rate(models[0])

    def worth(points: float) -> float:
        share = (points + 0.5) / (GAMES + 1)
        return 400 * math.log10(share / (1 - share))

    play_to(74, monkeypatch)
    assert rating.rate(models[1])["elo"] == pytest.approx(worth(74), abs=0.05)
    play_to(76, monkeypatch)
    found = rating.rate(models[2])
    assert (found["elo_against"], found["elo"]) == (0, pytest.approx(worth(76), abs=0.05))
    play_to(100, monkeypatch)
    found = rating.rate(models[3])
    assert (found["elo_against"], found["elo"]) == (2, pytest.approx(worth(76) + worth(100), abs=0.1))
    low, high = found["elo_interval_95"]
    assert 0 < low < found["elo"] < high < 3000


def test_draws_and_openings_that_decide_their_games_make_the_interval_narrower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the points are 0 Elo. As many openings that are won twice or lost twice as are won once leave 66 Elo to each
    side, draws alone or openings that are all won once leave 9. Also without a point the interval is finite."""
    models = [model(tmp_path, step) for step in range(5)]
    rating = Anchor("tictactoe", 0)
    rating.rate(models[0])
    mixed = [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]] * 12 + [[1.0, 0.0]] * 2
    margins = []
    for newer, groups in zip(models[1:4], (mixed, [[0.5, 0.5]] * 50, [[1.0, 0.0]] * 50), strict=True):
        monkeypatch.setattr(anchor, "play_match", lambda *_, groups=groups: result(groups))
        found = rating.rate(newer)
        low, high = found["elo_interval_95"]
        assert (found["elo"], low) == (0, -high)
        margins.append(high)
    effects = [24.5 / (103 / 4), 0.5 / (103 / 4), 0.5 / (103 / 4)]
    assert margins == [pytest.approx(elo_difference(wilson(50.5 / e, 101 / e)[1]), abs=0.06) for e in effects]
    assert margins == pytest.approx([66, 9, 9], abs=0.5)
    play_to(0, monkeypatch)
    low, high = rating.rate(models[4])["elo_interval_95"]
    assert -2000 < low < high < -400


def test_the_match_that_lets_a_model_pass_is_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From other openings: else the luckiest of many matches would stay in the Elo of all later models."""
    played: list[tuple[int, list[list[int]]]] = []
    scores = iter([80, 70, 50])

    def match(*given: object) -> SimpleNamespace:
        played.append(given[-2:])  # type: ignore[arg-type]
        return result(games_of(next(scores)))

    monkeypatch.setattr(anchor, "play_match", match)
    rating = Anchor("tictactoe", 5)
    rating.rate(model(tmp_path, 0))
    first = rating.rate(model(tmp_path, 1))
    share = (70 + 0.5) / (GAMES + 1)
    assert first["elo"] == pytest.approx(400 * math.log10(share / (1 - share)), abs=0.05)
    assert rating.rate(model(tmp_path, 2))["elo_against"] == 1
    assert [seed for seed, _ in played] == [5, 6, 5]
    assert played[0][1] == played[2][1]
    assert (played[0][1], played[1][1]) == openings_of_two_matches("tictactoe", 5)


@pytest.mark.parametrize("env_id", ["tictactoe", "connect4", "othello"])
def test_the_two_matches_share_no_opening(env_id: str) -> None:
    """Othello has 54 positions after three moves; if each match took 50 of them by itself, most would be in both."""
    first, second = openings_of_two_matches(env_id, seed=0)
    assert len(first) == len(second) == GAMES // 2
    assert not {tuple(moves) for moves in first} & {tuple(moves) for moves in second}


@pytest.mark.parametrize(("positions", "halves"), [(7, (4, 3)), (1, (1, 1))])
def test_a_game_with_few_positions_is_split(
    positions: int, halves: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into halves. A single position serves both matches, because each needs an opening."""
    monkeypatch.setattr(anchor, "draw_openings", lambda *_: [[number] for number in range(positions)])
    assert tuple(map(len, openings_of_two_matches("tictactoe", 0))) == halves


def test_the_games_are_between_the_raw_policies(tmp_path: Path) -> None:
    """Models that play alike have 0 Elo: from each opening both seats are played."""
    rating = Anchor("tictactoe", 0)
    rating.rate(model(tmp_path, 5))
    (tmp_path / "again").mkdir()
    found = rating.rate(model(tmp_path / "again", 5))
    assert found["elo"] == 0
    assert found["elo_interval_95"][0] == -found["elo_interval_95"][1]


@pytest.mark.parametrize("kept", [True, False])
def test_a_resumed_run_goes_on_from_the_last_model_that_was_rated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """Newer ones play against it. If it is gone, the next model takes over its Elo, and nobody knows how exact that is.

    Evaluations without an Elo, of an earlier version, are passed over.
    """
    evaluations = EvaluationLog(tmp_path / "evaluations.jsonl")
    for entry in ({"step": 1, "elo": 10.5}, {"step": 2, "elo": 99.5}, {"step": 3, "win_rate": 1.0}):
        evaluations.append(entry)
    if kept:
        write_model(tmp_path / "model_step_000002.onnx", "tictactoe", seed=2, step=2)
    rating = anchor_of(ModelLoader("tictactoe"), 0, evaluations, tmp_path)
    play_to(50, monkeypatch)
    newest, later = model(tmp_path, 4), model(tmp_path, 5)
    found = rating.rate(newest)
    assert (found["elo"], found["elo_against"]) == (99.5, 2 if kept else 4)
    if kept:
        low, high = found["elo_interval_95"]
        assert low < 99.5 < high
    else:
        assert found["elo_interval_95"] is None
        assert rating.rate(later)["elo_against"] == 4


def test_a_run_that_is_resumed_before_the_first_evaluation_begins_with_elo_0(tmp_path: Path) -> None:
    """As a new run does."""
    rating = anchor_of(ModelLoader("tictactoe"), 0, EvaluationLog(tmp_path / "evaluations.jsonl"), tmp_path)
    assert rating.rate(model(tmp_path, 1))["elo_interval_95"] == [0.0, 0.0]
