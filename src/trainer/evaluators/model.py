"""What all models have in common: what their files say of themselves, and how outputs become a checked answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked, link
from trainer.core.errors import ModelError, first_line
from trainer.evaluators import answers
from trainer.evaluators.answers import NOT_FINITE, SOUND
from trainer.evaluators.interface import Observations, Prior, Values
from trainer.games.base import Mask
from trainer.run.model_contract import PROGRESS, STEP
from trainer.sparse.network import SparseNetwork

Outputs = tuple[NDArray[np.float32], NDArray[np.float32]]
"""policy_logits [B, A] and value [B, 1]"""


@cache
def answer_kernels() -> Linked:
    """`answers.py`, compiled. Every model uses the same."""
    return link(answers, warm_up=_warm_up)


def _warm_up(linked: Linked) -> None:
    """Call each kernel once, for one row."""
    row, legal = np.zeros((1, 1), np.float32), np.ones((1, 1), np.bool_)
    linked.answers.fault_of(row, row[:, 0])
    linked.answers.masked_softmax(row, legal, np.zeros(1, np.int64), row)


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says about itself."""

    source: str
    """Its path, for messages."""
    metadata: dict[str, str]

    @property
    def step(self) -> int | None:
        """Training step; None if the file doesn't say."""
        step = self.metadata.get(STEP, "")
        try:
            return int(step) if step.isdigit() else None
        except ValueError:  # such as ², or thousands of digits
            return None

    @property
    def progress(self) -> float:
        """How much of the training run was done, 0 to 1; 1 if the file doesn't say."""
        try:
            share = float(self.metadata.get(PROGRESS, ""))
        except ValueError:
            return 1.0
        return share if 0 <= share <= 1 else 1.0


class ModelEvaluator(ABC):
    """A model whose outputs are checked and turned into an answer."""

    layers: SparseNetwork | None = None

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.source = info.source
        self.step = info.step
        self.progress = info.progress
        self._answers = answer_kernels().answers

    @abstractmethod
    def outputs(self, observation: Observations) -> Outputs:
        """The model's outputs for observations [B, obs_size], unchecked."""

    def __call__(self, observation: Observations, legal: Mask) -> tuple[Prior, Values]:
        """Prior float32 [B, A] over the legal moves and value float32 [B] for the mover."""
        try:
            logits, value = self.outputs(observation)
        except Exception as error:  # onnxruntime raises classes of its own, without a common base
            raise ModelError(f"{self.source} can't evaluate {len(observation)} rows ({first_line(error)})") from error
        refuse_fault(self.source, self._answers.fault_of(logits, value[:, 0]), value)
        prior = np.empty_like(logits)
        self._answers.masked_softmax(logits, legal, np.empty(logits.shape[1], np.int64), prior)
        return prior, value[:, 0]


def refuse_fault(source: str, fault: int, value: Values) -> None:
    """Raise ModelError for a `fault` of the answers of the model `source`, whose values these are; SOUND is none."""
    if fault == NOT_FINITE:
        raise ModelError(f"{source} answers NaN or infinity; train it again, or give another model")
    if fault != SOUND:
        raise ModelError(f"{source} answers a value of {value.flat[np.abs(value).argmax()]:g}; it must be from -1 to 1")
