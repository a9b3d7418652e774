"""Wilson's interval, on published values, and that of a score."""

from __future__ import annotations

import math

import pytest

from trainer.measure.intervals import design_effect, score_interval, wilson


def alone(wins: int, draws: int, losses: int) -> list[list[float]]:
    """The points of games that don't depend on each other."""
    return [[1.0]] * wins + [[0.5]] * draws + [[0.0]] * losses


def of_openings(won_twice: int, won_once: int, lost_twice: int) -> list[list[float]]:
    """The points of two games from each opening."""
    return [[1.0, 1.0]] * won_twice + [[1.0, 0.0]] * won_once + [[0.0, 0.0]] * lost_twice


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
    assert score_interval(alone(*results)) == pytest.approx((low, high), abs=5e-5)
    assert score_interval(alone(*results)) == pytest.approx(wilson(worth / 2, worth))


@pytest.mark.parametrize("results", [(8, 0, 2), (50, 0, 50), (0, 0, 10), (7, 0, 0)])
def test_without_draws_the_interval_of_a_score_is_wilson_s(results: tuple[int, int, int]) -> None:
    """Also at both ends, which are exactly 0 and 1."""
    found, expected = score_interval(alone(*results)), wilson(results[0], sum(results))
    assert found == pytest.approx(expected)
    assert [end in (0, 1) for end in found] == [end in (0, 1) for end in expected]


def test_the_interval_of_a_score_is_never_wider_than_wilson_s_and_mirrors_the_opponent_s() -> None:
    """For any results of 12 games. It always contains the score."""
    for wins in range(13):
        for draws in range(13 - wins):
            losses = 12 - wins - draws
            low, high = score_interval(alone(wins, draws, losses))
            widest = wilson(wins + draws / 2, 12)
            assert widest[0] <= low + 1e-12
            assert high - 1e-12 <= widest[1]
            assert low <= (wins + draws / 2) / 12 <= high
            assert score_interval(alone(losses, draws, wins)) == pytest.approx((1 - high, 1 - low))


def test_openings_that_decide_both_of_their_games_make_the_interval_narrower() -> None:
    """Of 50 openings 40 are won once, so the squares of 10 openings and of the added win and loss are 10.5. 102 independent
    games have 25.5, so the 100 games count as 100 * 25.5 / 10.5."""
    groups = of_openings(5, 40, 5)
    assert design_effect(groups) == pytest.approx(10.5 / 25.5)
    assert score_interval(groups) == pytest.approx(wilson(50 * 25.5 / 10.5, 100 * 25.5 / 10.5))
    assert design_effect(alone(50, 0, 50)) == pytest.approx(1)


def test_openings_that_one_player_wins_twice_make_the_interval_wider() -> None:
    """If all are won twice or lost twice, 100 games tell hardly more than 50."""
    assert design_effect(of_openings(25, 0, 25)) == pytest.approx(50.5 / 25.5)


@pytest.mark.parametrize("games", [2, 4, 100])
def test_a_clean_score_counts_as_that_of_independent_games(games: int) -> None:
    """Almost: of n games the added win and loss make the variance larger by n / ((n + 1) (n + 2)), which is 1% of 100."""
    groups = of_openings(games // 2, 0, 0)
    effect = 1 + games / ((games + 1) * (games + 2))
    assert design_effect(groups) == pytest.approx(effect)
    assert score_interval(groups) == (pytest.approx(wilson(games / effect, games / effect)[0]), 1.0)
    assert score_interval(of_openings(0, 0, games // 2))[0] == 0.0


@pytest.mark.parametrize("groups", [[[1.0]], [[0.5]], [[1.0, 0.0]], [[1.0, 0.0]] * 500, [[1.0, 0.0], [0.5]]])
def test_an_interval_is_never_empty(groups: list[list[float]]) -> None:
    """Also of a single game, of openings that are all won once, and of an odd number of games."""
    low, high = score_interval(groups)
    assert 0 <= low < sum(map(sum, groups)) / sum(map(len, groups)) <= high <= 1
    assert low < high


@pytest.mark.parametrize("favoured", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("openings", [20, 50])
def test_the_interval_of_equal_players_holds_their_score_in_95_of_100_matches(openings: int, favoured: float) -> None:
    """`favoured` is the chance of the seat that an opening favours. Summed over all results of a match."""
    once = favoured**2 + (1 - favoured) ** 2
    twice = favoured * (1 - favoured)
    covered = 0.0
    for won in range(openings + 1):
        for lost in range(openings - won + 1):
            rest = openings - won - lost
            low, high = score_interval(of_openings(won, rest, lost))
            if low <= 0.5 <= high:
                ways = math.comb(openings, won) * math.comb(openings - won, lost)
                covered += ways * twice ** (won + lost) * once**rest
    assert 0.925 < covered < 0.99
