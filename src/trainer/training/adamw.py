"""Steps of AdamW over parameters that live in one array, for networks whose gradient is written out.

What is called at each step is arrays and compiled code: an operation of torch takes longer than it seems, since the caches
have forgotten it by the next step. P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np
import torch
from torch import Tensor

from trainer.network import Loss, PolicyValueNet
from trainer.replay import Batch
from trainer.sparse.layout import Floats
from trainer.training.gradient import Differentiation, parameters_of, pieces


def flatten(parameters: Sequence[Tensor]) -> Floats:
    """Move the parameters into one array [P + 1], which is returned; its last number is 0."""
    flat = torch.cat([*(parameter.detach().flatten() for parameter in parameters), torch.zeros(1)])
    for parameter, home in zip(
        parameters, pieces(flat[:-1], [parameter.shape for parameter in parameters]), strict=True
    ):
        parameter.data = home
    return flat.numpy()


class Descent:
    """Steps of AdamW down the gradient of `PolicyValueNet.loss`, for a network that `can_differentiate`."""

    def __init__(self, network: PolicyValueNet, optimizer: torch.optim.AdamW, grad_clip: float) -> None:
        """Do the arithmetic of `optimizer`, which keeps its settings and, under the usual names, its state.

        `grad_clip`: the largest norm of the gradient; 0 turns clipping off.
        """
        self._optimizer = optimizer
        self._grad_clip = grad_clip or math.inf
        self._parameters = parameters_of(network)
        self._values = flatten(self._parameters)
        self._slots = np.zeros_like(self._values)
        self.gradient = self._slots[:-1]
        """[P], of the batch before, in the order of `parameters_of`."""
        self._mean, self._variance = np.zeros_like(self.gradient), np.zeros_like(self.gradient)
        self._steps = np.zeros(len(self._parameters), np.float32)
        self._differentiation = Differentiation(network)
        self.adopt_state()

    def adopt_state(self) -> None:
        """Move the optimizer's state into vectors, which it then shows; call it after the optimizer has loaded a state."""
        shapes = [parameter.shape for parameter in self._parameters]
        steps, mean, variance = (torch.from_numpy(own) for own in (self._steps, self._mean, self._variance))
        homes = zip(steps, pieces(mean, shapes), pieces(variance, shapes), strict=True)
        for parameter, own in zip(self._parameters, homes, strict=True):
            state = self._optimizer.state[parameter]
            for name, home in zip(("step", "exp_avg", "exp_avg_sq"), own, strict=True):
                home.copy_(state.get(name, torch.zeros(())))
                state[name] = home

    def step(self, batch: Batch) -> Loss:
        """One step at the optimizer's learning rate, the norm of the gradient clipped; returns the loss before it."""
        loss = self.differentiate(batch)
        (settings,) = self._optimizer.param_groups
        beta1, beta2 = settings["betas"]
        self._steps += 1
        adamw(
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
        """Write the gradient of the loss of a batch into `gradient`; returns the loss."""
        loss = self._differentiation(self._values, batch, self._slots)
        return Loss(*torch.from_numpy(loss).unbind())


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def adamw(
    weights: Floats,
    gradient: Floats,
    mean: Floats,
    variance: Floats,
    step: float,
    grad_clip: float,
    learning_rate: float,
    weight_decay: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Step number `step`, from 1 on, of AdamW (Loshchilov and Hutter 2019, algorithm 2); all arrays are [P].

    A gradient whose norm is larger than `grad_clip` is scaled down to it.
    """
    squares = 0.0
    for i in range(len(gradient)):
        squares += np.float64(gradient[i]) ** 2
    scale = np.float32(min(grad_clip / (np.sqrt(squares) + 1e-6), 1.0))
    rate = np.float32(learning_rate / (1 - beta1**step))
    correction = np.float32(1 / np.sqrt(1 - beta2**step))
    kept = np.float32(1 - learning_rate * weight_decay)
    new1, new2, least = np.float32(1 - beta1), np.float32(1 - beta2), np.float32(eps)
    for i in range(len(weights)):
        slope = gradient[i] * scale
        mean[i] += new1 * (slope - mean[i])
        variance[i] += new2 * (slope * slope - variance[i])
        weights[i] = weights[i] * kept - rate * mean[i] / (np.sqrt(variance[i]) * correction + least)
