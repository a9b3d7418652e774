"""Steps of AdamW over parameters in one flat array, for networks whose gradient is computed by our own kernels.

A step only calls NumPy and compiled code. An operation of torch costs more than it seems: by the next step the caches have
lost its code and data. P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from trainer.compile.linker import Linked, link
from trainer.network import Loss, PolicyValueNetwork
from trainer.replay import Batch
from trainer.sparse.layout import Floats
from trainer.training import adamw_step
from trainer.training.gradient import LossGradient, parameters_of, pieces


def flatten(parameters: Sequence[Tensor]) -> Floats:
    """Move the parameters into one array [P + 1], which is returned; its last number is 0."""
    flat = torch.cat([*(parameter.detach().flatten() for parameter in parameters), torch.zeros(1)])
    views = pieces(flat[:-1], [parameter.shape for parameter in parameters])
    for parameter, view in zip(parameters, views, strict=True):
        parameter.data = view
    return flat.numpy()


class AdamWSteps:
    """AdamW steps along the gradient of `PolicyValueNetwork.loss`, for a network that `can_differentiate` accepts."""

    def __init__(
        self, network: PolicyValueNetwork, optimizer: torch.optim.AdamW, grad_clip: float, sparsity: float = 0.0
    ) -> None:
        """Take over the arithmetic of `optimizer`, which keeps its settings and, under the usual names, its state.

        `grad_clip`: the largest norm of the gradient; 0 turns clipping off. `sparsity`: see `LossGradient`.
        """
        self._optimizer = optimizer
        self._grad_clip = grad_clip or math.inf
        self._parameters = parameters_of(network)
        self._values = flatten(self._parameters)
        self._derivatives = np.zeros_like(self._values)
        self.gradient = self._derivatives[:-1]
        """[P] of the last batch, in the order of `parameters_of`."""
        self._mean, self._variance = np.zeros_like(self.gradient), np.zeros_like(self.gradient)
        self._steps = np.zeros(len(self._parameters), np.float32)
        self.loss_gradient = LossGradient(network, sparsity)
        """Computes `gradient`."""
        self._adamw = adamw_kernels().adamw_step.adamw
        self.adopt_state()

    def adopt_state(self) -> None:
        """Move the optimizer's state into flat arrays, and give it views of them. Call this after it has loaded a state."""
        shapes = [parameter.shape for parameter in self._parameters]
        steps, mean, variance = (torch.from_numpy(own) for own in (self._steps, self._mean, self._variance))
        views = zip(steps, pieces(mean, shapes), pieces(variance, shapes), strict=True)
        for parameter, own in zip(self._parameters, views, strict=True):
            state = self._optimizer.state[parameter]
            for name, view in zip(("step", "exp_avg", "exp_avg_sq"), own, strict=True):
                view.copy_(state.get(name, torch.zeros(())))
                state[name] = view

    def step(self, batch: Batch) -> Loss:
        """One step at the optimizer's learning rate, with the gradient's norm clipped; returns the loss before the step."""
        loss = self.differentiate(batch)
        (settings,) = self._optimizer.param_groups
        beta1, beta2 = settings["betas"]
        self._steps += 1
        self._adamw(
            self._values[:-1],
            self.gradient,
            self._mean,
            self._variance,
            float(self._steps[0]),
            self._grad_clip,
            settings["lr"],
            settings["weight_decay"],
            beta1,
            beta2,
            settings["eps"],
        )
        return loss

    def differentiate(self, batch: Batch) -> Loss:
        """Write the gradient of a batch's loss into `gradient`; returns the loss."""
        loss = self.loss_gradient(self._values, batch, self._derivatives)
        return Loss(*torch.from_numpy(loss).unbind())


@cache
def adamw_kernels() -> Linked:
    """`adamw_step.py`, compiled."""
    return link(adamw_step, warm_up=_warm_up)


def _warm_up(linked: Linked) -> None:
    """Call the kernel once, without a parameter."""
    nothing = np.zeros(0, np.float32)
    linked.adamw_step.adamw(nothing, nothing, nothing, nothing, 1.0, math.inf, 0.0, 0.0, 0.0, 0.0, 0.0)
