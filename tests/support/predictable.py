"""A player and an evaluator that can be predicted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import Mask
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


def arbitrary(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Clear preferences in every position that have nothing to do with the game; each row is evaluated alone."""
    generator = np.random.default_rng(observation.shape[1])
    weights = generator.normal(size=(legal.shape[1] + 1, observation.shape[1])).astype(np.float32)
    scores = (observation[:, None, :] * weights).sum(axis=2)
    prior = np.where(legal, np.exp(np.sin(scores[:, 1:])), 0)
    prior /= np.maximum(prior.sum(axis=1, keepdims=True), 1e-9)
    return prior.astype(np.float32), np.sin(scores[:, 0])
