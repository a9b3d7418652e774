"""The dice of self-play: the published generator, and what is made of its numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.actor import random_numbers as dice_kernels
from trainer.compile.linker import link
from trainer.games import splitmix

dice = link(splitmix, dice_kernels).random_numbers

KEY = np.uint64(1234567)


def numbers(of: str, count: int) -> np.ndarray:
    """The first numbers of a key, as one of the three distributions."""
    return np.array([getattr(dice, of)(KEY, index) for index in range(count)])


def test_the_numbers_are_those_of_splitmix64() -> None:
    """The five that are published for the seed 1234567, less the bits that a float64 has no room for."""
    published = [
        *(6457827717110365317, 3203168211198807973, 9817491932198370423),
        *(4593380528125082431, 16408922859458223821),
    ]
    expected = [((word >> 11) + 0.5) / 2**53 for word in published]
    np.testing.assert_array_equal(numbers("uniform", 5), expected)


def key_of_first(word: int) -> np.uint64:
    """The key whose first word is this one: the steps of SplitMix64 backwards."""
    for shift, factor in ((31, splitmix.SECOND_FACTOR), (27, splitmix.FIRST_FACTOR), (30, 1)):
        word ^= (word >> shift) ^ (word >> 2 * shift)
        word = word * pow(int(factor), -1, 2**64) % 2**64
    return np.uint64((word - int(splitmix.STEP)) % 2**64)


@pytest.mark.parametrize(("word", "expected"), [(0, 2**-54), (6457827717110365317, None), (2**64 - 1, 1 - 2**-53)])
def test_no_number_is_0_or_1(word: int, expected: float | None) -> None:
    """From the smallest word, the first one of `KEY` and the largest; a Gumbel variate of 0 or 1 would be infinite."""
    key = key_of_first(word)
    assert dice.uniform(key, 0) == (expected or dice.uniform(KEY, 0))
    assert np.isfinite(dice.gumbel(key, 0))


def test_the_distributions_are_what_they_are_called() -> None:
    """Means and variances of 20,000 numbers, within five standard errors of the mean; a Gumbel variate's mean is Euler's."""
    for of, mean, variance in (
        ("uniform", 0.5, 1 / 12),
        ("exponential", 1.0, 1.0),
        ("gumbel", 0.5772156649, math.pi**2 / 6),
    ):
        found = numbers(of, 20_000)
        assert abs(found.mean() - mean) < 5 * math.sqrt(variance / len(found)), of
        assert abs(found.var() / variance - 1) < 0.1, of
        assert np.isfinite(found).all()


@pytest.mark.parametrize("shape", [0.03, 0.3, 1.0, 2.5])
def test_gamma_variates_have_the_mean_and_the_variance_of_their_shape(shape: float) -> None:
    """Both are the shape. 50,000 numbers, within five standard errors; the fourth moment is 3 shape^2 + 6 shape."""
    found = np.array([dice.gamma(KEY, index, shape) for index in range(50_000)])
    assert (found >= 0).all()
    assert np.isfinite(found).all()
    assert abs(found.mean() - shape) < 5 * math.sqrt(shape / len(found))
    assert abs(found.var() - shape) < 5 * math.sqrt((2 * shape**2 + 6 * shape) / len(found))


def test_a_gamma_variate_of_shape_1_is_exponential() -> None:
    """The very same number, so that games with alpha 1 are what they always were."""
    assert [dice.gamma(KEY, index, 1.0) for index in range(9)] == numbers("exponential", 9).tolist()


def test_games_of_neighbouring_numbers_have_nothing_in_common() -> None:
    """A thousand games of two runs: no key twice, each bit set in about half of them."""
    keys = [dice.key_of(np.uint64(run), number) for run in (0, 1) for number in range(1000)]
    assert len(set(keys)) == 2000
    for bit in range(64):
        assert 850 < sum(key >> bit & 1 for key in keys) < 1150, bit
