"""A batch of training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Batch:
    """Training rows, each from its mover's point of view. B rows, A actions."""

    observation: NDArray[np.float32]
    """[B, obs_size]"""
    legal: NDArray[np.bool_]
    """[B, A] True = may be played."""
    visits: NDArray[np.float32]
    """[B, A] sums to 1 and is zero where not legal; all zero in a row without a policy target."""
    outcome: NDArray[np.float32]
    """[B] value target: +1 mover won, 0 draw, -1 mover lost, or in between if mixed with the search's value."""
