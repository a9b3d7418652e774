"""Kernels that turn a network's outputs into an answer: check them, then softmax over legal moves. B rows, A actions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import Mask

KEEPS_GIL = True  # the kernels are short: getting it back would take longer

SOUND, NOT_FINITE, TOO_LARGE = 0, 1, 2
HIGHEST_VALUE = np.float32(1.001)
"""Largest absolute value that is accepted: 1, plus rounding."""
LARGEST = np.float32(3.4028235e38)


def fault_of(logits: NDArray[np.float32], value: NDArray[np.float32]) -> int:
    """What is wrong with outputs [B, A] and [B]: NOT_FINITE if any is NaN or infinite, TOO_LARGE if a value is outside
    [-1, 1], otherwise SOUND."""
    strange = beyond = 0
    for row in range(logits.shape[0]):
        for action in range(logits.shape[1]):
            strange += not abs(logits[row, action]) <= LARGEST
        strange += not abs(value[row]) <= LARGEST
        beyond += not abs(value[row]) <= HIGHEST_VALUE
    return NOT_FINITE if strange else TOO_LARGE if beyond else SOUND


def masked_softmax(
    logits: NDArray[np.float32], legal: Mask, found: NDArray[np.int64], prior: NDArray[np.float32]
) -> None:
    """prior[b, a] = exp(logits[b, a]) / sum over legal a; 0 where not legal. All [B, A]; a row without legal moves is 0.

    `found` [A] is scratch memory.
    """
    for row in range(len(logits)):
        count = 0
        for action in range(logits.shape[1]):  # without a branch, which would often be mispredicted
            prior[row, action] = 0.0
            found[count] = action
            count += legal[row, action]
        largest = np.float32(-np.inf)
        for i in range(count):
            largest = max(largest, logits[row, found[i]])
        total = np.float32(0.0)
        for i in range(count):
            prior[row, found[i]] = np.exp(logits[row, found[i]] - largest)
            total += prior[row, found[i]]
        for i in range(count):
            prior[row, found[i]] /= total
