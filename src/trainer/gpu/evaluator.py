"""Models evaluated by torch on a device. B positions, C positions of a batch, A actions."""

from __future__ import annotations

import logging
from functools import cache

import numpy as np
import torch

from trainer.compile.linker import Linked, link
from trainer.core.log import Trouble
from trainer.evaluators.answers import NOT_FINITE, SOUND
from trainer.evaluators.interface import Evaluator, Observations, Prior, Values
from trainer.evaluators.model import ModelInfo, refuse_fault
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.export.stored import CustomKind, StoredNetwork, Weights
from trainer.games import game_of
from trainer.games.base import Game, Mask
from trainer.gpu import copies
from trainer.gpu.launchers import EagerLauncher, GraphLauncher, MakeLauncher
from trainer.gpu.slots import Slots
from trainer.network import NetworkFile, NetworkSettings
from trainer.settings.groups.device import Precision

log = logging.getLogger(__name__)

PRECISIONS: dict[Precision, tuple[torch.dtype, float]] = {
    "fp32": (torch.float32, 1e-3),
    "fp16": (torch.float16, 1e-2),
    "bf16": (torch.bfloat16, 5e-2),
}
"""The type in which networks compute, and how far its answers may be from ONNX Runtime's, see `Acceleration`."""


@cache
def copy_kernels() -> Linked:
    """`copies.py`, compiled. Every model uses the same."""
    return link(copies, warm_up=_warm_up)


def _warm_up(linked: Linked) -> None:
    """Call each kernel once, without a row."""
    numbers, legal = np.zeros((0, 1), np.float32), np.zeros((0, 1), np.bool_)
    linked.copies.copy_in(numbers, legal, numbers, legal)
    linked.copies.copy_out(numbers, numbers, np.zeros(0, np.float32))


class TorchAccelerator:
    """Makes the evaluator of each model of one game on a device."""

    def __init__(
        self,
        env_id: str,
        device: torch.device,
        precision: Precision,
        capacity: int,
        make_launcher: MakeLauncher | None = None,
        file: NetworkFile | None = None,
    ) -> None:
        """`capacity`: the positions of a batch, C. `make_launcher` None: a captured graph if that is possible. `file`: what
        makes the networks that aren't of this package."""
        self.manner = f"on the device {device.type} in {precision}"
        kept_as, self.tolerance = PRECISIONS[precision]
        if kept_as is torch.float32:
            torch.backends.cudnn.allow_tf32 = False  # by default convolutions round float32 to 10 bits
        self._capacity = capacity
        self._game = game_of(env_id)
        self.slots = Slots(self._game, device, kept_as)
        self._file = file
        self._overflow = Trouble(log)  # of all models: the next one is hardly better
        self._make_launcher = make_launcher
        self._captures = device.type == "cuda"

    def __call__(self, content: bytes, original: OnnxEvaluator) -> TorchEvaluator:
        """An evaluator of `original`, whose file is `content`. Raises ModelError for a network that can't be made here."""
        stored = StoredNetwork.read(content)
        kind = stored.kind(self._file)
        # What somebody's module does may not fit into a graph.
        captures = self._captures and isinstance(kind, NetworkSettings)
        make = self._make_launcher or (GraphLauncher if captures else EagerLauncher)
        return TorchEvaluator(
            original.info, self._game, stored.weights, kind, self.slots, self._capacity, make, self._overflow
        )

    def accepted(self, evaluator: Evaluator, original: OnnxEvaluator) -> Evaluator:
        """Let `original` answer what this evaluator can't; before they were compared that would hide what differs."""
        assert isinstance(evaluator, TorchEvaluator)
        evaluator.spare = original
        return evaluator


class TorchEvaluator:
    """One model on a device; several threads may use it at once."""

    layers = None

    def __init__(
        self,
        info: ModelInfo,
        game: Game,
        weights: Weights,
        kind: NetworkSettings | CustomKind,
        slots: Slots,
        capacity: int,
        make_launcher: MakeLauncher,
        overflow: Trouble,
    ) -> None:
        """`info` describes the file that the weights are from; the rest is as for `TorchAccelerator`. `overflow` begins when
        `spare` answers for the first time."""
        self.source, self.step, self.progress = info.source, info.step, info.progress
        self.spare: Evaluator | None = None
        """Answers positions in which numbers grow too large for the network's type here; None: that is an error."""
        self._trouble = overflow
        self._slot = slots.take(weights, kind, user=self)
        self._launcher = (make_launcher, capacity, game.obs_size, game.num_actions)
        self._capacity = capacity
        self._copies = copy_kernels().copies

    def __call__(self, observation: Observations, legal: Mask) -> tuple[Prior, Values]:
        """Prior float32 [B, A] over the legal moves and value float32 [B] for the mover, in batches of C positions."""
        launcher = self._slot.launcher(*self._launcher)
        count, actions = legal.shape
        prior, value = np.empty((count, actions), np.float32), np.empty(count, np.float32)
        seen, allowed, answers = launcher.observation.numpy(), launcher.legal.numpy(), launcher.answers.numpy()
        if observation.shape != (count, seen.shape[1]) or actions != allowed.shape[1]:  # kernels don't look
            raise ValueError(f"observations {observation.shape} and legal moves {legal.shape} are of another game")
        for first in range(0, count, self._capacity):
            rows = slice(first, min(first + self._capacity, count))
            self._copies.copy_in(observation[rows], legal[rows], seen, allowed)
            launcher.launch()
            fault = self._copies.copy_out(answers, prior[rows], value[rows])
            if fault == SOUND:
                continue
            found = answers[: rows.stop - first]
            if self.spare and fault == NOT_FINITE:  # perhaps only in 16 bits; raises if it isn't
                strange = found[:, -1] == NOT_FINITE
                at = first + np.flatnonzero(strange)
                prior[at], value[at] = self.spare(observation[at], legal[at])
                self._trouble.begin(
                    f"models such as {self.source} have numbers that are too large for 16 bits; positions with them are "
                    "evaluated by ONNX Runtime, which is slower; --precision fp32 avoids that"
                )
                found = found[~strange]
                fault = int(found[:, -1].max(initial=SOUND))  # SOUND or TOO_LARGE
            refuse_fault(self.source, fault, found[:, -2])
        return prior, value
