"""Steps of AdamW on a GPU: rows unpacked there, mixed precision, one captured graph per step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor

from trainer.gpu.devices import errors_named, has_bfloat16
from trainer.gpu.launchers import CAPTURING
from trainer.network import Loss, MoverNetwork, PolicyValueNetwork
from trainer.replay import PackedBatch
from trainer.training.steps.device_batches import Unpacker
from trainer.training.steps.torch_steps import StepsByTorch

STEPS_BEFORE_CAPTURE = 3
"""The first steps run operation by operation: libraries choose their kernels and take their memory then."""


class DeviceSteps(StepsByTorch):
    """AdamW steps along the gradient of `MoverNetwork.loss`, for a network on a device.

    On an NVIDIA GPU with bfloat16, networks of this package compute in it where autocast allows it; weights, loss and
    optimizer stay float32. Custom networks don't: their last layers would be rounded to 8 bits, too. The loss that a
    step returns stays on the device: reading it waits for the step.
    """

    packed: ClassVar[bool] = True

    def __init__(
        self,
        network: MoverNetwork,
        published: MoverNetwork,
        optimizer: torch.optim.AdamW,
        grad_clip: float,
        unpacker: Unpacker,
    ) -> None:
        """`unpacker` unpacks the batches on the network's device."""
        super().__init__(network, published, optimizer, grad_clip)
        self._unpacker = unpacker
        of_package = isinstance(network, PolicyValueNetwork)
        self._mixes = of_package and has_bfloat16(self._device)
        self._captures = of_package and self._device.type == "cuda"  # others may not fit into a graph
        # Of another priority than those on which threads evaluate, see `capture_stream`.
        self._stream = torch.cuda.Stream(priority=-1) if self._captures else None  # type: ignore[no-untyped-call]
        self._inputs: tuple[Tensor, ...] = ()
        self._graph: torch.cuda.CUDAGraph | None = None
        self._loss: Loss | None = None
        self._steps = 0

    def step(self, batch: PackedBatch) -> Loss:
        """As `Steps` has it. Raises DeviceError."""
        with errors_named("a training step"), self._own_stream():
            inputs = self._unpacker.sent(batch)
            if not self._captures:
                return self._computed(inputs)
            if not same_kind(inputs, self._inputs):
                self._inputs, self._graph, self._steps = tuple(part.clone() for part in inputs), None, 0
            for own, new in zip(self._inputs, inputs, strict=True):
                own.copy_(new)
            self._steps += 1
            if self._steps <= STEPS_BEFORE_CAPTURE:
                return self._computed(self._inputs)
            if self._graph is None:
                self._capture()
            assert self._graph is not None
            assert self._loss is not None
            self._graph.replay()
            return Loss(*(part.clone() for part in self._loss))

    @contextmanager
    def _own_stream(self) -> Iterator[None]:
        """Compute on the stream on which steps are captured. The steps before the capture have to use it, too."""
        if self._stream is None:
            yield
            return
        outside = torch.cuda.current_stream()
        self._stream.wait_stream(outside)
        with torch.cuda.stream(self._stream):
            yield
        outside.wait_stream(self._stream)

    def _capture(self) -> None:
        """Record a step as a graph, without carrying it out."""
        self._optimizer.zero_grad(set_to_none=True)  # so that the graph writes gradients instead of adding to them
        self._graph = torch.cuda.CUDAGraph()
        with CAPTURING, torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            self._loss = self._computed(self._inputs)

    def _computed(self, inputs: Sequence[Tensor]) -> Loss:
        """Carry out a step, operation by operation."""
        rows = self._unpacker.unpack(*inputs)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._mixes):
            loss = self._network.loss(rows.observation, rows.legal, rows.policy_target, rows.value_target)
        self._descend(loss)
        return Loss(*(part.detach() for part in loss))


def same_kind(inputs: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    """Whether two batches have arrays of the same types and shapes."""
    return [(one.dtype, one.shape) for one in inputs] == [(one.dtype, one.shape) for one in others]
