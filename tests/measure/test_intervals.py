"""Wilson's interval, on published values."""

from __future__ import annotations

import pytest

from trainer.measure.intervals import wilson


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
