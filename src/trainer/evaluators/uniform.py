"""The uniform guess."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import Mask


def uniform(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The guess of somebody who knows only the rules: every legal move alike, value 0."""
    count = np.maximum(legal.sum(axis=1, keepdims=True), 1)
    return (legal / count).astype(np.float32), np.zeros(len(legal), np.float32)
