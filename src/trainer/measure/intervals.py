"""The confidence interval of a share that was counted."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""Half the width, in standard deviations, of a two-sided 95% interval of the normal distribution."""


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """The 95% interval of the share successes / trials (the score interval of Wilson, 1927).

    `successes` may contain halves: a draw is half a success in a match score, whose interval is then slightly too wide.
    """
    share, z2 = successes / trials, Z95 * Z95
    middle = share + z2 / (2 * trials)
    spread = Z95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    low = (middle - spread) / scale if successes > 0 else 0.0  # exactly 0, without rounding errors
    high = (middle + spread) / scale if successes < trials else 1.0
    return low, high
