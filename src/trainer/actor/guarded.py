"""The evaluator of one thread: timed, and replaced when its model fails."""

from __future__ import annotations

import time
from dataclasses import dataclass

from trainer.core.errors import ModelError
from trainer.evaluators.interface import Evaluator, ModelSource, Observations, Prior, Values
from trainer.evaluators.uniform import uniform
from trainer.games.base import Mask
from trainer.sparse.network import SparseNetwork


@dataclass
class Clock:
    """What one thread has had evaluated by calling models; what kernels evaluate by themselves isn't in it."""

    positions: int = 0
    """Rows of the batches, with those that only fill a batch up."""
    seconds: float = 0.0


class GuardedEvaluator:
    """One model, timed, until it fails. Search caches what one evaluator answered, so each model gets a new one."""

    def __init__(self, models: ModelSource, model: Evaluator, clock: Clock) -> None:
        """`model` is the current one of `models`."""
        self.model = model
        self.failed = False
        self._models = models
        self._clock = clock

    @property
    def source(self) -> str:
        """Where the model comes from."""
        return self.model.source

    @property
    def step(self) -> int | None:
        """Training step of the model."""
        return self.model.step

    @property
    def progress(self) -> float:
        """How much of its training run was done."""
        return self.model.progress

    @property
    def layers(self) -> SparseNetwork | None:
        """The network for kernels; None once it has failed, so that its answers are checked here."""
        return None if self.failed else self.model.layers

    def __call__(self, observation: Observations, legal: Mask) -> tuple[Prior, Values]:
        """The model's answer. If the model fails it is given up, and the one before it or the uniform guess answers."""
        began = time.perf_counter()
        model: Evaluator | None = self.model
        answer = None
        while answer is None:
            try:
                answer = model(observation, legal) if model else uniform(observation, legal)
            except ModelError as error:
                assert model is not None
                self._models.give_up(model, error)
                self.failed, model = True, self._models.current
        self._clock.seconds += time.perf_counter() - began
        self._clock.positions += len(observation)
        return answer
