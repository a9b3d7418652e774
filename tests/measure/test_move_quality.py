"""Move quality, on scores whose wrong moves a person can count."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluators.uniform import uniform
from trainer.games.solving.scored_positions import scored_positions_of
from trainer.games.solving.solver import NOT_LEGAL
from trainer.measure.move_quality import measure_move_quality, quick_move_quality, wrong_moves
from trainer.players import MinimaxPlayer, RandomPlayer, model_player

N = NOT_LEGAL


@pytest.mark.parametrize(
    ("scores", "action", "weak", "strong"),
    [
        ([5, 3, 0, -2], 0, False, False),  # the fastest win
        ([5, 3, 0, -2], 1, False, True),  # a slower win
        ([5, 3, 0, -2], 2, True, True),  # a draw instead of a win
        ([0, 0, -2, N], 1, False, False),  # any draw is right
        ([0, 0, -2, N], 2, True, True),  # a loss instead of a draw
        ([-4, -1, N, N], 1, False, False),  # the slowest loss
        ([-4, -1, N, N], 0, False, True),  # a faster loss loses no value
    ],
)
def test_weak_and_strong_errors(scores: list[int], action: int, weak: bool, strong: bool) -> None:
    """A weak error loses value. A strong error may also just win slower or lose faster."""
    found = wrong_moves(np.array([scores], np.int8), np.array([action]))
    assert [bool(error[0]) for error in found] == [weak, strong]


def test_the_total_is_the_sum_of_the_kinds() -> None:
    """The JSON has counts, rates and intervals."""
    quality = measure_move_quality(scored_positions_of("connect4").every(20), MinimaxPlayer("connect4", 1))
    found = quality.as_json()
    assert found["positions"] == 300
    assert found["weak_errors"] == sum(kind["weak_errors"] for kind in found["kinds"].values())
    assert found["weak_error"] == found["weak_errors"] / 300
    low, high = found["strong_interval_95"]
    assert low < found["strong_error"] < high


def test_random_moves_err_at_the_rate_of_wrong_moves() -> None:
    """Over all positions of tic-tac-toe, the error rate of random play is the mean share of wrong moves."""
    scored = scored_positions_of("tictactoe")
    legal = scored.scores != N
    wrong = (np.sign(scored.scores) < np.sign(scored.scores.max(axis=1, keepdims=True))) & legal
    expected = (wrong.sum(axis=1) / legal.sum(axis=1)).mean()
    total = measure_move_quality(scored, RandomPlayer()).total
    assert total.weak / total.positions == pytest.approx(expected, abs=0.02)


def test_a_quick_measurement_takes_all_of_tictactoe_and_a_tenth_of_connect4() -> None:
    """Of the raw policy: the uniform guess errs more than with search."""
    assert quick_move_quality("tictactoe", uniform).total.positions == 4520
    quick, scored = quick_move_quality("connect4", uniform).total, scored_positions_of("connect4").every(10)
    assert quick.positions == len(scored) == 600
    searching = measure_move_quality(scored, model_player("search", "connect4", uniform, 100, 600))
    assert searching.total.weak < quick.weak
