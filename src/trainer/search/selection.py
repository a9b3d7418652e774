"""The constants by which search selects moves, as its kernels read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Selection(NamedTuple):
    """The constants of PUCT and of a Gumbel search's root. M moves considered at most, N simulations."""

    c_puct: float
    fpu_reduction: float
    policy_temperature: float
    noise_fraction: float
    value_scale: float
    halving: NDArray[np.int32]
    """[M + 1, N + 1], a row for each number of moves considered. For each simulation: how many visits the move that it
    visits already has. The last column is never read."""
