"""Steps of AdamW over parameters in one flat array, for networks whose gradient is computed by our own kernels.

A step only calls NumPy and compiled code. An operation of torch costs more than it seems: by the next step the caches have
lost its code and data. P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np
import torch
from torch import Tensor

from trainer.network import Loss, PolicyValueNetwork
from trainer.replay import Batch
from trainer.sparse.layout import Floats
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

    def __init__(self, network: PolicyValueNetwork, optimizer: torch.optim.AdamW, grad_clip: float) -> None:
        """Take over the arithmetic of `optimizer`, which keeps its settings and, under the usual names, its state.

        `grad_clip`: the largest norm of the gradient; 0 turns clipping off.
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
        self.loss_gradient = LossGradient(network)
        """Computes `gradient`."""
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
        """Write the gradient of a batch's loss into `gradient`; returns the loss."""
        loss = self.loss_gradient(self._values, batch, self._derivatives)
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
    """Step number `step`, counted from 1, of AdamW (Loshchilov and Hutter 2019, algorithm 2). All arrays are [P].

    If the gradient's norm is larger than `grad_clip`, the gradient is scaled down to it.
    """
    squares = 0.0
    for i in range(len(gradient)):
        squares += np.float64(gradient[i]) ** 2
    scale = np.float32(min(grad_clip / (np.sqrt(squares) + 1e-6), 1.0))
    rate = np.float32(learning_rate / (1 - beta1**step))
    correction = np.float32(1 / np.sqrt(1 - beta2**step))
    decay = np.float32(1 - learning_rate * weight_decay)
    new1, new2, least = np.float32(1 - beta1), np.float32(1 - beta2), np.float32(eps)
    for i in range(len(weights)):
        derivative = gradient[i] * scale
        mean[i] += new1 * (derivative - mean[i])
        variance[i] += new2 * (derivative * derivative - variance[i])
        weights[i] = weights[i] * decay - rate * mean[i] / (np.sqrt(variance[i]) * correction + least)
