"""What tests of the search have in common: positions, and an evaluator."""

from __future__ import annotations

import numpy as np
from lines_of_play import random_lines
from numpy.typing import NDArray

from trainer.games.base import Mask, State


def arbitrary(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Clear preferences in every position that have nothing to do with the game; each row is evaluated alone."""
    generator = np.random.default_rng(observation.shape[1])
    weights = generator.normal(size=(legal.shape[1] + 1, observation.shape[1])).astype(np.float32)
    scores = (observation[:, None, :] * weights).sum(axis=2)
    prior = np.where(legal, np.exp(np.sin(scores[:, 1:])), 0)
    prior /= np.maximum(prior.sum(axis=1, keepdims=True), 1e-9)
    return prior.astype(np.float32), np.sin(scores[:, 0])


def some_positions(env_id: str, number: int) -> State:
    """Unfinished positions of random games, from the first ply to the last, uint64 [number, S]."""
    positions = [position for line in random_lines(env_id, 20) for position in line.positions[:-1]]
    chosen = np.random.default_rng(3).choice(len(positions), number, replace=False)
    return np.array([positions[each].state for each in chosen])
