"""The evaluator that knows only the rules: a baseline, and what plays while there is no model."""

from __future__ import annotations

import numpy as np

from trainer.evaluators.interface import FunctionEvaluator, Observations, Prior, Values
from trainer.games.base import Mask


def uniform_guess(observation: Observations, legal: Mask) -> tuple[Prior, Values]:
    """The same prior for every legal move, and value 0."""
    count = np.maximum(legal.sum(axis=1, keepdims=True), 1)
    return (legal / count).astype(np.float32), np.zeros(len(legal), np.float32)


uniform = FunctionEvaluator(uniform_guess, "the uniform guess")
