"""Kernels that copy a batch to what the device reads, and its answers from what it writes. B rows, C >= B rows of a batch,
A actions.

NumPy gives up Python's lock for every copy of more than 500 elements, and acquiring it again takes longer than the copy if
other threads search. Compiled by `evaluator.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.evaluators.answers import NOT_FINITE, SOUND, TOO_LARGE
from trainer.games.base import Mask

KEEPS_GIL = True  # the kernels are short: getting it back would take longer


def copy_in(observation: NDArray[np.float32], legal: Mask, seen: NDArray[np.float32], allowed: Mask) -> None:
    """Copy observation [B, obs_size] and legal [B, A] into the first rows of `seen` [C, obs_size] and `allowed` [C, A]."""
    for row in range(len(observation)):
        for number in range(observation.shape[1]):
            seen[row, number] = observation[row, number]
        for action in range(legal.shape[1]):
            allowed[row, action] = legal[row, action]


def copy_out(answers: NDArray[np.float32], prior: NDArray[np.float32], value: NDArray[np.float32]) -> int:
    """Copy the first rows of `answers` [C, A + 2], as `launchers.answer` makes them, into prior [B, A] and value [B].

    Returns the worst fault of these rows: NOT_FINITE before TOO_LARGE before SOUND.
    """
    actions = prior.shape[1]
    strange = beyond = 0
    for row in range(len(prior)):
        for action in range(actions):
            prior[row, action] = answers[row, action]
        value[row] = answers[row, actions]
        fault = answers[row, actions + 1]
        strange += fault == NOT_FINITE
        beyond += fault == TOO_LARGE
    return NOT_FINITE if strange else TOO_LARGE if beyond else SOUND
