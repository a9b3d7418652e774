"""Confidence intervals: of a share that was counted, and of the score of a match."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""Half the width, in standard deviations, of a two-sided 95% interval of the normal distribution."""


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """The 95% interval of the share successes / trials (the score interval of Wilson, 1927).

    It assumes independent trials. A draw may be half a success, but then it counts as uncertain as a win or a loss, and the
    interval is too wide: `score_interval` is better.
    """
    share, z2 = successes / trials, Z95 * Z95
    middle = share + z2 / (2 * trials)
    spread = Z95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    low = (middle - spread) / scale if successes > 0 else 0.0  # exactly 0, without rounding errors
    high = (middle + spread) / scale if successes < trials else 1.0
    return low, high


def score_interval(wins: int, draws: int, losses: int) -> tuple[float, float]:
    """The 95% interval of the points per game, where a draw is half a point: without draws, exactly that of `wilson`.

    Draws make points vary less. So the games count as more games: in the ratio of the variance that they would have without
    draws, at the same score, to their own. Both are estimated with a win and a loss added, so that neither is 0. If games
    repeat each other, the interval is too narrow, because it assumes that they are independent.
    """
    games, points = wins + draws + losses, wins + draws / 2
    share = (points + 1) / (games + 2)
    without_draws = share * (1 - share)
    variance = without_draws - draws / 4 / (games + 2)  # the mean of the squares, with 1/4 for a draw, minus share^2
    worth = without_draws / variance
    return wilson(worth * points, worth * games)
