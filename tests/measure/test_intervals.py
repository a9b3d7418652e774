"""Wilson's interval, on published values, and that of a score."""

from __future__ import annotations

import pytest

from trainer.measure.intervals import score_interval, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (50, 100, 0.4038, 0.5962), (1, 100, 0.0018, 0.0545), (0, 10, 0.0, 0.2775)],
)
def test_known_values(successes: int, trials: int, low: float, high: float) -> None:
    """8 of 10 is 49.0 to 94.3%, as any calculator confirms."""
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_no_success_starts_at_exactly_0_and_all_successes_end_at_exactly_1() -> None:
    """The ends have no rounding errors."""
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


def test_failures_mirror_successes() -> None:
    """The interval of 3 in 20 is 1 minus that of 17 in 20."""
    low, high = wilson(3, 20)
    assert wilson(17, 20) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(
    ("results", "worth", "low", "high"),
    [
        ((42, 116, 42), 200 * 0.25 / (0.25 - 116 / 808), 0.4550, 0.5450),
        ((0, 100, 0), 100 * 0.25 / (0.25 - 100 / 408), 0.4863, 0.5137),
        ((0, 1, 0), 0.25 / (0.25 - 1 / 12), 0.0760, 0.9240),
    ],
)
def test_draws_make_the_interval_of_a_score_narrower(
    results: tuple[int, int, int], worth: float, low: float, high: float
) -> None:
    """With a win and a loss more, 116 draws of 202 games leave a variance of 1/4 - 116/808, so 200 games count as 470."""
    assert score_interval(*results) == pytest.approx((low, high), abs=5e-5)
    assert score_interval(*results) == pytest.approx(wilson(worth / 2, worth))


@pytest.mark.parametrize("results", [(8, 0, 2), (50, 0, 50), (0, 0, 10), (7, 0, 0)])
def test_without_draws_the_interval_of_a_score_is_wilson_s(results: tuple[int, int, int]) -> None:
    """Exactly, also at both ends."""
    assert score_interval(*results) == wilson(results[0], sum(results))


def test_the_interval_of_a_score_is_never_wider_than_wilson_s_and_mirrors_the_opponent_s() -> None:
    """For any results of 12 games. It always contains the score."""
    for wins in range(13):
        for draws in range(13 - wins):
            losses = 12 - wins - draws
            low, high = score_interval(wins, draws, losses)
            widest = wilson(wins + draws / 2, 12)
            assert widest[0] <= low + 1e-12
            assert high - 1e-12 <= widest[1]
            assert low <= (wins + draws / 2) / 12 <= high
            assert score_interval(losses, draws, wins) == pytest.approx((1 - high, 1 - low))
