"""A deterministic player whose moves can be predicted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.games.positions import Positions
from trainer.players.base import Played


class FirstLegal:
    """Always plays the legal move with the smallest number."""

    name = "First legal"

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """The first legal move of each position, int64 [R]."""
        first: NDArray[np.int64] = positions.legal().argmax(axis=1)
        return first
