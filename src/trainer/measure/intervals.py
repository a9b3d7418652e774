"""Confidence intervals: of a share that was counted, and of the score of a match."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def design_effect(groups: Sequence[Sequence[float]]) -> float:
    """How much the points of games vary, relative to independent games without draws of the same score (Kish 1965).

    `groups`: the points of the games, 1, 1/2 or 0. Games of one group may depend on each other, such as two from the same
    opening; groups are independent. Draws make points vary less, and so do openings that decide games, because a player
    wins such an opening from one seat and loses it from the other. The variance is estimated from the sums of the groups
    (for groups of two, this is the pentanomial model of Van den Bergh and Fishtest), with a win and a loss added as groups
    of their own, so that it is never 0.
    """
    games, points = sum(map(len, groups)) + 2, sum(map(sum, groups)) + 1
    share = points / games
    squares = sum((sum(group) - share * len(group)) ** 2 for group in [*groups, [1.0], [0.0]])
    return squares / (games * share * (1 - share))


def score_interval(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The 95% interval of the points per game; `groups` as in `design_effect`.

    It is `wilson`'s for the number of independent games without draws that would tell as much, so it stays between 0 and 1.
    If groups repeat each other, it is too narrow.
    """
    effect = design_effect(groups)
    return wilson(sum(map(sum, groups)) / effect, sum(map(len, groups)) / effect)
