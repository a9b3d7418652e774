"""A training step written out: loss, gradient and AdamW of a network of linear layers and ReLU, on the CPU.

Autograd starts about a hundred small operations a step, and for networks of this size starting them is most of the time.
Here a step is three matrix products a layer (two for the first), which torch makes in memory that is kept, and a compiled
loop between each two of them. `alphazero_loss` and autograd stay the definition: the tests compare every gradient with
theirs.

All parameters live in one vector. B batch, A actions, F features of a layer, I inputs of it, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.network import Loss, PolicyValueNet
from trainer.replay import Batch

Floats = NDArray[np.float32]


def supports(network: PolicyValueNet) -> bool:
    """Whether the steps of a network are written out here: an MLP with a value of one number, on the CPU."""
    kinds = [type(module) for module in network.body]
    linear = kinds == [nn.Linear, nn.ReLU] * (len(kinds) // 2)
    return linear and network.value.out_features == 1 and network.value.weight.device.type == "cpu"


def parameters_of(network: PolicyValueNet) -> list[Tensor]:
    """The parameters in an order in which the two heads are one layer of A + 1 features, the value's last."""
    policy, value = network.policy, network.value
    return [*network.body.parameters(), policy.weight, value.weight, policy.bias, value.bias]


def flatten(parameters: Sequence[Tensor]) -> Tensor:
    """Move the parameters into one vector [P], which is returned."""
    flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
    for parameter, home in zip(parameters, pieces(flat, [parameter.shape for parameter in parameters]), strict=True):
        parameter.data = home
    return flat


def pieces(flat: Tensor, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
    """A vector [P] cut into views of these shapes."""
    parts = torch.split(flat, [math.prod(shape) for shape in shapes])
    return [part.view(*shape) for part, shape in zip(parts, shapes, strict=True)]


@dataclass(frozen=True)
class Layer:
    """A linear layer, the gradient of it, and what it makes of a batch."""

    weight: Tensor
    """[F, I]"""
    bias: Tensor
    """[F]"""
    weight_gradient: Tensor
    """[F, I]"""
    bias_gradient: Tensor
    """[F]"""
    output: Tensor
    """[B, F] after the ReLU, where one follows."""
    gradient: Tensor
    """[B, F] of the loss by the layer's sums, those before the ReLU."""


class Descent:
    """Steps of AdamW down the gradient of `alphazero_loss`, for a network that `supports` accepts."""

    def __init__(self, network: PolicyValueNet, optimizer: torch.optim.AdamW, grad_clip: float) -> None:
        """Do the arithmetic of `optimizer`, which keeps its settings and, under the usual names, its state.

        `grad_clip`: the largest norm of the gradient; 0 turns clipping off.
        """
        self._swapped = network.view.cells if network.view.swaps else 0
        self._optimizer = optimizer
        self._grad_clip = grad_clip or math.inf
        self._parameters = parameters_of(network)
        self._weights = flatten(self._parameters)
        self.gradient = torch.zeros_like(self._weights)
        """[P], of the batch before, in the order of `parameters_of`."""
        self._mean, self._variance = torch.zeros_like(self._weights), torch.zeros_like(self._weights)
        self._steps = torch.zeros(len(self._parameters))
        widths = [module.out_features for module in network.body if isinstance(module, nn.Linear)]
        self._widths = [network.view.size, *widths, network.policy.out_features + 1]
        self._seen = torch.empty(0, network.view.size)
        self._layers: list[Layer] = []
        self.adopt_state()

    def adopt_state(self) -> None:
        """Move the optimizer's state into vectors, which it then shows; call it after the optimizer has loaded a state."""
        shapes = [parameter.shape for parameter in self._parameters]
        homes = zip(self._steps, pieces(self._mean, shapes), pieces(self._variance, shapes), strict=True)
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
            self._weights.numpy(),
            self.gradient.numpy(),
            self._mean.numpy(),
            self._variance.numpy(),
            self._steps[0].item(),
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
        rows = len(batch.outcome)
        if rows != len(self._seen):
            self._make_room(rows)
        see(batch.observation, self._swapped, self._seen.numpy())
        below = self._seen
        *hidden, heads = self._layers
        for layer in hidden:
            torch.mm(below, layer.weight.T, out=layer.output)
            rectify(layer.output.numpy(), layer.bias.numpy())
            below = layer.output
        torch.mm(below, heads.weight.T, out=heads.output)

        loss = torch.empty(3)
        differentiate_heads(
            heads.output.numpy(),
            heads.bias.numpy(),
            batch.legal,
            batch.visits,
            batch.outcome,
            loss.numpy(),
            heads.gradient.numpy(),
            heads.bias_gradient.numpy(),
        )
        for lower, layer in reversed(list(pairwise(self._layers))):
            torch.mm(layer.gradient.T, lower.output, out=layer.weight_gradient)
            torch.mm(layer.gradient, layer.weight, out=lower.gradient)
            differentiate_relu(lower.output.numpy(), lower.gradient.numpy(), lower.bias_gradient.numpy())
        torch.mm(self._layers[0].gradient.T, self._seen, out=self._layers[0].weight_gradient)
        return Loss(*loss)

    def _make_room(self, rows: int) -> None:
        """Make the memory for batches of `rows` rows."""
        self._seen = torch.empty(rows, self._widths[0])
        shapes = [shape for inputs, features in pairwise(self._widths) for shape in ((features, inputs), (features,))]
        weights, gradients = pieces(self._weights, shapes), pieces(self.gradient, shapes)
        self._layers = [
            Layer(*parts, torch.empty(rows, len(parts[1])), torch.empty(rows, len(parts[1])))
            for parts in zip(weights[::2], weights[1::2], gradients[::2], gradients[1::2], strict=True)
        ]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def see(observation: Floats, cells: int, seen: Floats) -> None:
    """Write the observation [B, obs_size] as `MoverView` shows it, [B, I]; `cells` of a plane that is swapped, or 0."""
    size = seen.shape[1]
    for row in range(len(seen)):
        swap = observation[row, size + 1] if cells else np.float32(0.0)
        for i in range(cells):
            change = swap * (observation[row, cells + i] - observation[row, i])
            seen[row, i] = observation[row, i] + change
            seen[row, cells + i] = observation[row, cells + i] - change
        for i in range(2 * cells, size):
            seen[row, i] = observation[row, i]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def rectify(sums: Floats, bias: Floats) -> None:
    """sums = max(sums + bias, 0), [B, F] and [F]; NaN stays NaN."""
    for row in range(sums.shape[0]):
        for i in range(sums.shape[1]):
            total = sums[row, i] + bias[i]
            sums[row, i] = np.float32(0.0) if total < 0 else total


@numba.njit(cache=True, nogil=True, error_model="numpy")
def differentiate_relu(output: Floats, gradient: Floats, bias_gradient: Floats) -> None:
    """Turn the gradient by a ReLU's output [B, F] into that by its input, and sum it up: that by the bias [F]."""
    for i in range(len(bias_gradient)):
        bias_gradient[i] = 0
    for row in range(gradient.shape[0]):
        for i in range(gradient.shape[1]):
            passed = np.float32(0.0) if output[row, i] <= 0 else gradient[row, i]
            gradient[row, i] = passed
            bias_gradient[i] += passed


@numba.njit(cache=True, nogil=True, error_model="numpy")
def differentiate_heads(
    sums: Floats,
    bias: Floats,
    legal: NDArray[np.bool_],
    visits: Floats,
    outcome: Floats,
    loss: Floats,
    gradient: Floats,
    bias_gradient: Floats,
) -> None:
    """`alphazero_loss` of the heads' sums [B, A + 1], the value's last, before their bias; the gradient by these sums.

    Of the policy loss by logit a: (p_a sum(pi) - pi_a) / rows with a target. Of the value loss by the number before the
    tanh: 2 (v - z) (1 - v^2) / B. Overwrites loss [3] (total, policy, value), gradient [B, A + 1], bias_gradient [A + 1].
    """
    rows, actions = visits.shape
    targets = 0
    for row in range(rows):
        weight = 0.0
        for a in range(actions):
            weight += visits[row, a]
        targets += weight > 0
    of_policy, of_value = np.float32(1 / max(targets, 1)), np.float32(1 / rows)
    policy_loss = value_loss = 0.0
    for a in range(actions + 1):
        bias_gradient[a] = 0
    for row in range(rows):
        largest = np.float32(-np.inf)
        for a in range(actions):
            sums[row, a] += bias[a]
            if legal[row, a]:
                largest = max(largest, sums[row, a])
        total = weight = 0.0
        for a in range(actions):
            gradient[row, a] = np.exp(sums[row, a] - largest) if legal[row, a] else np.float32(0.0)
            total += gradient[row, a]
            weight += visits[row, a] if legal[row, a] else 0.0
        log_total = largest + np.log(total)
        for a in range(actions):
            if legal[row, a]:
                policy_loss -= visits[row, a] * (sums[row, a] - log_total)
                gradient[row, a] = (gradient[row, a] / total * weight - visits[row, a]) * of_policy
                bias_gradient[a] += gradient[row, a]
        value = np.tanh(sums[row, actions] + bias[actions])
        error = value - outcome[row]
        value_loss += error * error
        gradient[row, actions] = 2 * error * (1 - value * value) * of_value
        bias_gradient[actions] += gradient[row, actions]
    loss[1], loss[2] = policy_loss * of_policy, value_loss * of_value
    loss[0] = loss[1] + loss[2]


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
