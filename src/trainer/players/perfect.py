"""The perfect player, which is never beaten unless the position is lost already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.games.positions import Positions
from trainer.games.solving.solver import Solver
from trainer.players.base import Played, sample


@dataclass(frozen=True)
class PerfectPlayer:
    """Plays a move with the best score: the fastest win, otherwise a draw, otherwise the slowest loss."""

    solver: Solver
    name: str = "Perfect"

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """Draw uniformly from the moves with the best score, so that all of them are played."""
        scores = self.solver.scores(positions)
        best = scores == scores.max(axis=1, keepdims=True)
        return sample(best.astype(np.float32), 1.0, generators)
