"""Elo ratings, on numbers that a person can check."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.measure.elo import UNIT, elo_difference, fit_elo
from trainer.measure.intervals import Z95


def expected_score(difference: float) -> float:
    """The expected points per game of a player who is `difference` Elo points stronger."""
    return 1 / (1 + 10 ** (-difference / 400))


def test_known_scores_give_the_known_differences() -> None:
    """75% of the points is 400 log10(3) = 190.8 Elo, 50% is 0, and 10 of 11 points is 400."""
    assert elo_difference(0.75) == pytest.approx(190.85, abs=0.01)
    assert elo_difference(0.5) == 0
    assert elo_difference(10 / 11) == pytest.approx(400)
    assert elo_difference(1) == math.inf
    assert elo_difference(0) == -math.inf


def test_the_difference_is_the_inverse_of_the_expected_score() -> None:
    """Also of the weaker player."""
    assert elo_difference(expected_score(400)) == pytest.approx(400)
    assert elo_difference(expected_score(-123)) == pytest.approx(-123)


def test_two_players_are_rated_by_their_score() -> None:
    """75 of 100 points are 191 Elo apart. The variance of the difference is 1 / (100 * 0.75 * 0.25)."""
    elo, margin = fit_elo(np.array([[0.0, 75.0], [25.0, 0.0]]), virtual_draws=0)
    assert elo == pytest.approx([190.85 / 2, -190.85 / 2], abs=0.01)
    assert margin == pytest.approx([UNIT * Z95 / math.sqrt(100 * 0.75 * 0.25) / 2] * 2)


def test_the_ratings_expect_the_points_that_were_scored() -> None:
    """At the maximum of the likelihood, each player's expected points equal its points."""
    points = np.array([[0.0, 12.0, 18.5], [8.0, 0.0, 13.0], [1.5, 7.0, 0.0]])
    elo, _ = fit_elo(points, virtual_draws=0)
    expected = [sum(20 * expected_score(elo[i] - elo[j]) for j in range(3) if j != i) for i in range(3)]
    assert expected == pytest.approx(points.sum(axis=1))
    assert elo.sum() == pytest.approx(0, abs=1e-9)


def test_a_player_who_won_everything_gets_a_finite_rating_and_a_wide_interval() -> None:
    """The virtual draw keeps the rating finite."""
    elo, margin = fit_elo(np.array([[0.0, 40.0, 40.0], [0.0, 0.0, 20.0], [0.0, 20.0, 0.0]]))
    assert 300 < elo[0] - elo[1] < 2000
    assert elo[1] == pytest.approx(elo[2])
    assert margin[0] > margin[1]


def test_lopsided_results_get_the_most_likely_ratings() -> None:
    """One of eight players won all its games. No small change of the ratings with mean 0 makes the results more likely."""
    points = np.full((8, 8), 20.0)
    points[0], points[:, 0] = 40.0, 0.0
    np.fill_diagonal(points, 0.0)
    elo, _ = fit_elo(points)

    def likelihood(strength: NDArray[np.float64]) -> float:
        log_win = -np.log1p(np.exp(strength[None, :] - strength[:, None]))
        return float((points * log_win).sum() - 0.5 * np.log1p(np.exp([strength, -strength])).sum())

    best = elo / UNIT
    for player in range(8):
        change = np.full(8, -1e-3 / 7)
        change[player] = 1e-3
        assert likelihood(best) > max(likelihood(best + change), likelihood(best - change))


def test_the_order_of_the_players_does_not_matter() -> None:
    """Reversing the table reverses the ratings."""
    points = np.array([[0.0, 12.0, 18.5], [8.0, 0.0, 13.0], [1.5, 7.0, 0.0]])
    elo, margin = fit_elo(points)
    turned = fit_elo(points[::-1, ::-1])
    assert turned.elo == pytest.approx(elo[::-1])
    assert turned.margin == pytest.approx(margin[::-1])


def test_a_difference_to_one_player_has_an_interval_of_its_own() -> None:
    """Of two players: the ratings of their mean are half the difference, and so are its margins."""
    points = np.array([[0.0, 75.0], [25.0, 0.0]])
    mean, other = fit_elo(points, virtual_draws=0), fit_elo(points, virtual_draws=0, zero=1)
    assert other.elo == pytest.approx([2 * mean.elo[0], 0.0])
    assert other.elo[0] == pytest.approx(elo_difference(0.75))
    assert other.margin == pytest.approx([2 * mean.margin[0], 0.0], abs=1e-6)


@pytest.mark.parametrize("score", [20.0, 38.0, 40.0])
def test_players_who_only_meet_one_are_rated_apart(score: float) -> None:
    """Whatever the others score against it, also if one wins all games. Of 41 draws with the virtual one the variance of the
    difference is 4 / 41."""
    ratings = []
    for others in ([], [0.0, 0.0], [40.0, 12.0, 40.0]):
        scores = [score, *others]
        points = np.zeros((len(scores) + 1, len(scores) + 1))
        points[:-1, -1], points[-1, :-1] = scores, 40 - np.array(scores)
        found = fit_elo(points, zero=len(scores))
        ratings.append((found.elo[0], found.margin[0]))
    assert ratings[1:] == [pytest.approx(ratings[0], rel=1e-6)] * 2
    assert ratings[0][0] == pytest.approx(elo_difference((score + 0.5) / 41), abs=1e-6)
    if score == 20:
        assert ratings[0][1] == pytest.approx(UNIT * Z95 * math.sqrt(4 / 41))


def test_points_that_vary_half_as_much_have_margins_half_as_large() -> None:
    """A design effect of 1/4 is a quarter of the variance. The ratings don't change."""
    points = np.array([[0.0, 12.0, 18.5], [8.0, 0.0, 13.0], [1.5, 7.0, 0.0]])
    plain, quarter = fit_elo(points, virtual_draws=0), fit_elo(points, virtual_draws=0, effects=0.25)
    assert quarter.elo == pytest.approx(plain.elo)
    assert quarter.margin == pytest.approx(plain.margin / 2)


def test_a_difference_has_the_design_effect_of_its_own_games() -> None:
    """Two players only met a third, in 40 games each; draws of the first make its margin smaller."""
    points, effects = np.zeros((3, 3)), np.ones((3, 3))
    points[:2, 2], points[2, :2] = [20.0, 30.0], [20.0, 10.0]
    effects[0, 2] = effects[2, 0] = 1 / 9
    plain, found = fit_elo(points, zero=2), fit_elo(points, zero=2, effects=effects)
    assert found.margin[:2] == pytest.approx(plain.margin[:2] / [3, 1])


def test_virtual_draws_against_the_average_keep_their_variance() -> None:
    """Of two players with 20 points each: the difference of their ratings has the information (20 + 1/4) / 2, and the points
    have 20 / 9 + 1/4 in place of 20 + 1/4."""
    points = np.array([[0.0, 20.0], [20.0, 0.0]])
    elo, margin = fit_elo(points, effects=1 / 9)
    assert elo == pytest.approx([0, 0], abs=1e-9)
    assert margin == pytest.approx([UNIT * Z95 * math.sqrt((20 / 9 + 0.25) / 2) / 20.25] * 2)
