"""A model whose answers are timed, and replaced where it fails."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ModelError
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.onnx_file import OnnxModel
from trainer.evaluators.sparse import SparseModel
from trainer.evaluators.uniform import uniform
from trainer.games.base import Mask
from trainer.sparse.layout import Network


@dataclass
class Clock:
    """What one thread has evaluated."""

    positions: int = 0
    seconds: float = 0.0


class TimedModel:
    """One model, timed, until it is replaced or fails. Search keeps what one object answered, so each model gets its own."""

    def __init__(self, file: ModelFile, model: OnnxModel | None, clock: Clock) -> None:
        """`model` is the one of `file` at the moment; the attribute is None once it has failed."""
        self.model = model
        self._file = file
        self._clock = clock

    @property
    def network(self) -> Network | None:
        """The layers of the model, where it is evaluated by them."""
        return self.model.network if isinstance(self.model, SparseModel) else None

    def __call__(
        self, observation: NDArray[np.float32], legal: Mask
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The model's answer; one that fails is given up, and the one before it, or the uniform guess, stands in once."""
        began = time.perf_counter()
        model, answer = self.model, None
        while answer is None:
            try:
                answer = model(observation, legal) if model else uniform(observation, legal)
            except ModelError as error:
                assert model is not None
                self._file.give_up(model, error)
                self.model, model = None, self._file.current
        self._clock.seconds += time.perf_counter() - began
        self._clock.positions += len(observation)
        return answer
