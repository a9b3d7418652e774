"""What an evaluator is, and a source of models. B positions, A actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ModelError
from trainer.evaluators.answers import HIGHEST_VALUE
from trainer.games.base import Mask
from trainer.sparse.network import SparseNetwork

Observations = NDArray[np.float32]
Prior = NDArray[np.float32]
Values = NDArray[np.float32]
Evaluate = Callable[[Observations, Mask], tuple[Prior, Values]]


class Evaluator(Protocol):
    """Answers positions of one game. One evaluator always gives a position the same answer, whatever the batch."""

    @property
    def source(self) -> str:
        """Where it comes from, for messages."""

    @property
    def step(self) -> int | None:
        """Training step of its model; None if unknown."""

    @property
    def progress(self) -> float:
        """How much of its training run was done, 0 to 1; 1 if unknown."""

    @property
    def layers(self) -> SparseNetwork | None:
        """The network's layers, if compiled kernels can evaluate it without calling Python; otherwise None."""

    def __call__(self, observation: Observations, legal: Mask) -> tuple[Prior, Values]:
        """Evaluate observations float32 [B, obs_size] with legal moves bool [B, A].

        Returns the prior float32 [B, A], zero where not legal, otherwise summing to 1, and the value float32 [B] in [-1, 1]
        for the mover. Raises ModelError if it can't.
        """


@dataclass(frozen=True)
class FunctionEvaluator:
    """Any function as an evaluator."""

    function: Evaluate
    source: str = "a function"
    step: int | None = None
    progress: float = 1.0
    layers: SparseNetwork | None = None

    def __call__(self, observation: Observations, legal: Mask) -> tuple[Prior, Values]:
        """What the function answers."""
        return self.function(observation, legal)


class ModelSource(Protocol):
    """Where self-play gets the newest model from: a file that is replaced, or another machine."""

    @property
    def current(self) -> Evaluator | None:
        """The newest good model; None before the first one."""

    def poll(self) -> bool:
        """Look for a newer model; True if `current` changed."""

    def give_up(self, evaluator: Evaluator, error: ModelError) -> None:
        """Return to the model before `evaluator`, which was loaded but fails in use."""


SUM_TOLERANCE = 0.01
"""How far a sum of priors may be from 1: more than rounding."""


def require_in_range(prior: Prior, value: Values, legal: Mask) -> None:
    """Raise ValueError unless all priors are 0 or more, those of legal moves sum to 1, and all values are from -1 to 1.

    With others, search could find no best move, and play one of another position. Priors that are k times as large would
    make it explore k times as much.
    """
    if not (np.isfinite(prior).all() and np.isfinite(value).all()):
        raise ValueError("the evaluator answers NaN or infinity; search needs finite priors and values")
    if (prior < 0).any():
        raise ValueError(f"the evaluator answers a prior of {prior.min()}; search needs priors of 0 or more")
    sums = np.where(legal, prior, 0).sum(axis=1, dtype=np.float64)[legal.any(axis=1)]
    if (np.abs(sums - 1) > SUM_TOLERANCE).any():
        farthest = sums[np.argmax(np.abs(sums - 1))]
        raise ValueError(
            f"the evaluator answers priors that sum to {farthest:g} over the legal moves; search needs a sum of 1"
        )
    if (np.abs(value) > HIGHEST_VALUE).any():
        farthest = value[np.argmax(np.abs(value))]
        raise ValueError(
            f"the evaluator answers a value of {farthest}; search needs values from -1 to 1, for the mover"
        )
