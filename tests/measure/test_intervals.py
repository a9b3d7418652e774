"""Wilson's interval, on values that are in the tables."""

from __future__ import annotations

import pytest

from trainer.measure.intervals import wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (50, 100, 0.4038, 0.5962), (1, 100, 0.0018, 0.0545), (0, 10, 0.0, 0.2775)],
)
def test_known_values(successes: int, trials: int, low: float, high: float) -> None:
    """8 of 10 is 49.0 to 94.3%, as every calculator says."""
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_nothing_and_everything_end_exactly_at_the_borders() -> None:
    """No success is an interval from 0, all successes one to 1, without rounding dust."""
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


def test_failures_mirror_successes() -> None:
    """The interval of 3 in 20 is that of 17 in 20 seen from the other side."""
    low, high = wilson(3, 20)
    assert wilson(17, 20) == pytest.approx((1 - high, 1 - low))
