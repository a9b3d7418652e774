"""Steps of AdamW for networks whose gradient is computed by our own kernels.

A step hardly calls anything but NumPy and compiled code. An operation of torch costs more than it seems: by the next step
the caches have lost its code and data. All numbers that a step changes are kept in the order of the kernels; they are
written back into the network and the optimizer when somebody asks for those. N numbers, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trainer.compile.linker import Linked, link
from trainer.network import Loss, PolicyValueNetwork
from trainer.replay import Batch
from trainer.sparse.network import Floats
from trainer.training.steps import adamw_step
from trainer.training.steps.gradient import LossGradient, parameters_of, pieces

MOMENTS = ("exp_avg", "exp_avg_sq")
"""The names that torch's AdamW has for its moving averages of the gradient and of its square."""


class AdamWSteps:
    """AdamW steps along the gradient of `PolicyValueNetwork.loss`, for a network that `can_differentiate` accepts."""

    packed: ClassVar[bool] = False

    def __init__(
        self,
        network: PolicyValueNetwork,
        optimizer: torch.optim.AdamW,
        grad_clip: float,
        published: PolicyValueNetwork | None = None,
    ) -> None:
        """Take over the arithmetic of `optimizer`, which keeps its settings.

        `grad_clip`: the largest norm of the gradient; 0 turns clipping off. `published`: gets the moving average of the
        weights.
        """
        self._optimizer = optimizer
        # As a float: for an int the kernels would be compiled anew.
        self._grad_clip = float(grad_clip) or math.inf
        self._parameters = parameters_of(network)
        self._published = parameters_of(published) if published else []
        self.loss_gradient = LossGradient(network)
        """Computes the gradient."""
        self._values = self.loss_gradient.values
        self._mean, self._variance = np.zeros_like(self._values), np.zeros_like(self._values)
        self._average = np.zeros_like(self._values) if published else self._values[:0]
        self._steps = 0
        self._ahead = False  # of the network and the optimizer
        self._kernels = adamw_kernels().adamw_step
        self.adopt()

    @property
    def gradient(self) -> Floats:
        """[P] of the last batch, in the order of `parameters_of`."""
        return self.loss_gradient.of_parameters(self.loss_gradient.gradient)

    def prepare(self, rows: int) -> None:
        """Compile the kernels, and allocate memory for batches of this size."""
        self.loss_gradient.prepare(rows)

    def adopt(self) -> None:
        """As `Steps` has it."""
        states = [self._optimizer.state[parameter] for parameter in self._parameters]
        for parameter, state in zip(self._parameters, states, strict=True):
            state.setdefault("step", torch.zeros(()))
            for name in MOMENTS:
                state.setdefault(name, torch.zeros_like(parameter))
        self._steps = int(states[0]["step"])
        self._place(self._parameters, self._values)
        if self._published:
            self._place(self._published, self._average)
        for name, to in zip(MOMENTS, (self._mean, self._variance), strict=True):
            self._place([state[name] for state in states], to)
        self._ahead = False

    def write_back(self) -> None:
        """As `Steps` has it; the state gets torch's names."""
        if not self._ahead:
            return
        states = [self._optimizer.state[parameter] for parameter in self._parameters]
        for state in states:
            state["step"] = torch.tensor(float(self._steps))
        self._fill(self._parameters, self._values)
        if self._published:
            self._fill(self._published, self._average)
        for name, numbers in zip(MOMENTS, (self._mean, self._variance), strict=True):
            self._fill([state[name] for state in states], numbers)
        self._ahead = False

    def step(self, batch: Batch) -> Loss:
        """As `Steps` has it."""
        loss = self.differentiate(batch)
        (settings,) = self._optimizer.param_groups
        beta1, beta2 = settings["betas"]
        self._steps += 1
        self._ahead = True
        self._kernels.adamw(
            self._values,
            self.loss_gradient.gradient,
            self._mean,
            self._variance,
            float(self._steps),
            self._grad_clip,
            float(settings["lr"]),
            float(settings["weight_decay"]),
            beta1,
            beta2,
            settings["eps"],
        )
        return loss

    def move_average(self, share: float) -> None:
        """As `Steps` has it."""
        self._ahead = True
        self._kernels.approach(self._average, self._values, share)

    def differentiate(self, batch: Batch) -> Loss:
        """Compute the gradient of a batch's loss; returns the loss."""
        return Loss(*torch.from_numpy(self.loss_gradient(batch)).unbind())

    def _place(self, tensors: Iterable[Tensor], to: Floats) -> None:
        """Write the numbers of one tensor per parameter to their places in `to` [N]."""
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        self.loss_gradient.placed(flat.numpy(), to)

    @torch.no_grad()
    def _fill(self, tensors: Iterable[Tensor], placed: Floats) -> None:
        """Write numbers [N] from their places into one tensor per parameter."""
        flat = torch.from_numpy(self.loss_gradient.of_parameters(placed))
        for tensor, part in zip(tensors, pieces(flat, [tensor.shape for tensor in self._parameters]), strict=True):
            tensor.copy_(part)


@cache
def adamw_kernels() -> Linked:
    """`adamw_step.py`, compiled."""
    return link(adamw_step, warm_up=_warm_up)


def _warm_up(linked: Linked) -> None:
    """Call each kernel once, without a number."""
    nothing = np.zeros(0, np.float32)
    linked.adamw_step.adamw(nothing, nothing, nothing, nothing, 1.0, math.inf, 0.0, 0.0, 0.0, 0.0, 0.0)
    linked.adamw_step.approach(nothing, nothing, 0.0)
