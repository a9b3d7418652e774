"""The loss of a batch and its gradient, written out for the families of networks that learn on a CPU.

Autograd starts about a hundred small operations a step, and multiplies all numbers of a layer where most are 0. Here the
kernels of `trainer.sparse` add up what is active. `PolicyValueNet.loss` and autograd stay the definition: the tests compare
every gradient with theirs.

B batch, A actions, F features of a layer, I inputs of it, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.compile.linker import compiled
from trainer.network import ConvStem, PolicyValueNet, Residual
from trainer.replay import Batch
from trainer.sparse import backward, forward, lanes
from trainer.sparse.backward import STACK, Gradient, Stack
from trainer.sparse.lanes import BLOCK
from trainer.sparse.layout import Assembly, Floats, Network, aligned, memory_for

PLAIN, CONVOLUTIONAL = [nn.Linear, nn.ReLU], [ConvStem, nn.Linear, nn.ReLU, Residual]


def can_differentiate(network: PolicyValueNet) -> bool:
    """Whether the steps of a network are written out here: one of the families `mlp` and `conv`, on the CPU."""
    kinds = [type(module) for module in network.body]
    if kinds == CONVOLUTIONAL:
        *_, tail = network.body
        assert isinstance(tail, Residual)
        kinds = [type(module) for module in tail.inner.children()]
    return kinds == PLAIN * (len(kinds) // 2) and network.value.weight.device.type == "cpu"


def parameters_of(network: PolicyValueNet) -> list[Tensor]:
    """The parameters in an order in which the two heads are one layer of A + 1 features, the value's last."""
    policy, value = network.policy, network.value
    return [*network.body.parameters(), policy.weight, value.weight, policy.bias, value.bias]


def pieces(flat: Tensor, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
    """A vector [P] cut into views of these shapes."""
    parts = torch.split(flat, [math.prod(shape) for shape in shapes])
    return [part.view(*shape) for part, shape in zip(parts, shapes, strict=True)]


class Differentiation:
    """The loss of a batch and its gradient by the parameters of a network that `can_differentiate`.

    The kernels have the weights in an order of their own, with room between them; before each batch they are fetched from
    the parameters, and after it the gradient is brought back.
    """

    def __init__(self, network: PolicyValueNet) -> None:
        shapes = [parameter.shape for parameter in parameters_of(network)]
        parameters = sum(map(math.prod, shapes))
        own = pieces(torch.arange(1, parameters + 1, dtype=torch.int32), shapes)
        # The layers with the numbers of the parameters in their place, from 1 on, and 0 where there is none.
        numbers = layers_of(network, [part.numpy() for part in own])
        self._homes, self._bias_homes, self._reverse_homes = (
            np.where(found > 0, found - 1, parameters).astype(np.int32)
            for found in (numbers.weights, numbers.biases, reversed_layers(numbers))
        )
        weights, reverse, slots = (aligned(len(numbers.weights), np.float32) for _ in range(3))
        biases, bias_slots = (aligned(len(numbers.biases), np.float32) for _ in range(2))
        self._network = numbers._replace(weights=weights, biases=biases)
        self._reverse = reverse
        self._gradient = Gradient(slots, bias_slots, np.zeros(len(numbers.layers), np.bool_))
        widest = int(max(numbers.layers["inputs"].max(), numbers.layers["results"].max()))
        self._stack = Stack(
            aligned(widest * STACK, np.float32),
            aligned(widest * STACK // BLOCK, np.uint64),
            aligned(STACK * BLOCK, np.float32),
        )
        self._learns = np.isin(numbers.layers["source"], numbers.layers["target"])
        self._rows = -1

    def __call__(self, values: Floats, batch: Batch, gradient: Floats) -> Floats:
        """The loss [3] (total, policy, value) of a batch; writes its gradient.

        `values`, `gradient` [P + 1] are the parameters and the derivatives by them; after them stands 0, and anything.
        """
        rows, network = len(batch.outcome), self._network
        if rows != self._rows:
            self._make_room(rows, batch.legal.shape[1] + network.value_logits)
        self._backward.gather(values, self._homes, network.weights)
        self._backward.gather(values, self._reverse_homes, self._reverse)
        network.biases[:] = values[self._bias_homes]
        self._forward.pass_through(network, self._memory, rows, batch.observation)
        loss = np.empty(3, np.float32)
        differentiate_heads(
            self._sums, network.value_logits == 3, batch.legal, batch.visits, batch.outcome, loss, self._head_slopes
        )
        self._backward.differentiate(
            network, self._reverse, self._learns, rows, self._memory, self._slopes, self._stack, self._gradient
        )
        self._backward.scatter(network, self._gradient, self._homes, self._reverse_homes, gradient)
        gradient[self._bias_homes] = self._gradient.biases
        return loss

    def _make_room(self, rows: int, outputs: int) -> None:
        """Make the memory for batches of `rows` rows, of which the heads have so many `outputs`."""
        self._memory, self._slopes = memory_for(self._network, rows), memory_for(self._network, rows)
        heads = self._network.layers[-1]
        width, begin = int(heads["results"]), int(heads["target"]) * rows
        end = begin + rows * width
        self._sums, self._head_slopes = (
            room[begin:end].reshape(rows, width) for room in (self._memory.room, self._slopes.room)
        )
        words = np.packbits(np.arange(width) < outputs, bitorder="little").view(np.uint64)
        self._slopes.active[begin // BLOCK : end // BLOCK] = np.tile(words, rows)
        if self._rows < 0:
            _, self._forward, self._backward = compiled(None, lanes, forward, backward, warm_up=self._warm_up)
        self._rows = rows

    def _warm_up(self, lanes: ModuleType, forward: ModuleType, backward: ModuleType) -> None:
        """Call each kernel once, without a row."""
        network, nothing = self._network, np.zeros(1, np.float32)
        forward.pass_through(network, self._memory, 0, np.zeros((0, 1), np.float32))
        backward.differentiate(
            network, self._reverse, self._learns, 0, self._memory, self._slopes, self._stack, self._gradient
        )
        backward.gather(nothing, self._homes[:0], nothing)
        backward.scatter(network._replace(layers=network.layers[:0]), self._gradient, self._homes, self._homes, nothing)


def layers_of(network: PolicyValueNet, values: Sequence[NDArray[Any]]) -> Network:
    """The layers of a network that `can_differentiate`, with `values` in place of its parameters, of the same shapes."""
    view, stem = network.view, network.body[0]
    *body, policy, value, policy_bias, value_bias = values
    assembly = Assembly(view.cells, view.size, view.swaps)
    layers = list(zip(body[::2], body[1::2], strict=True))
    if isinstance(stem, ConvStem):
        (convolution, first, tail) = layers
        assembly.stem(*convolution, *stem.board.shape[1:])
        assembly.joined(*first)
        assembly.dense(*tail, residual=True)
    else:
        for layer in layers:
            assembly.dense(*layer)
    heads, biases = np.concatenate([policy, value]), np.concatenate([policy_bias, value_bias])
    assembly.dense(heads, biases, rectified=False)
    return assembly.network(len(value))


def reversed_layers(network: Network) -> NDArray[Any]:
    """The weights of a network, those of each layer at the same place, in blocks [I / 64, F, 64]."""
    turned = np.empty_like(network.weights)
    for layer in network.layers:
        inputs, results, begin = int(layer["inputs"]), int(layer["results"]), int(layer["weights"])
        whole = slice(begin, begin + inputs * results)
        blocks = network.weights[whole].reshape(results // BLOCK, inputs // BLOCK, BLOCK, BLOCK)
        turned[whole] = blocks.transpose(1, 0, 3, 2).ravel()
    return turned


@numba.njit(cache=True, nogil=True, error_model="numpy")
def differentiate_heads(
    sums: Floats,
    has_draws: bool,
    legal: NDArray[np.bool_],
    visits: Floats,
    outcome: Floats,
    loss: Floats,
    slopes: Floats,
) -> None:
    """`PolicyValueNet.loss` of the heads' results [B, at least A + 1], the policy's first, and the gradient by them.

    Of the policy loss by logit a: (p_a sum(pi) - pi_a) / rows with a target. Of the value loss by the number before the
    tanh: 2 (v - z) (1 - v^2) / B; `has_draws`: by the logits of win, draw and loss: (p - target) / B. Overwrites loss [3]
    (total, policy, value) and as many columns of slopes [B, ...] as there are results.
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
    for row in range(rows):
        largest = np.float32(-np.inf)
        for a in range(actions):
            if legal[row, a]:
                largest = max(largest, sums[row, a])
        total = weight = 0.0
        for a in range(actions):
            slopes[row, a] = np.exp(sums[row, a] - largest) if legal[row, a] else np.float32(0.0)
            total += slopes[row, a]
            weight += visits[row, a] if legal[row, a] else 0.0
        log_total = largest + np.log(total)
        for a in range(actions):
            if legal[row, a]:
                policy_loss -= visits[row, a] * (sums[row, a] - log_total)
                slopes[row, a] = (slopes[row, a] / total * weight - visits[row, a]) * of_policy
        if has_draws:
            largest = max(sums[row, actions], sums[row, actions + 1], sums[row, actions + 2])
            total = 0.0
            for i in range(actions, actions + 3):
                slopes[row, i] = np.exp(sums[row, i] - largest)
                total += slopes[row, i]
            for i in range(actions, actions + 3):
                drawn = i == actions + 1
                target = 1 - abs(outcome[row]) if drawn else max(outcome[row] if i == actions else -outcome[row], 0.0)
                value_loss -= target * (sums[row, i] - largest - np.log(total))
                slopes[row, i] = (slopes[row, i] / total - target) * of_value
        else:
            value = np.tanh(sums[row, actions])
            error = value - outcome[row]
            value_loss += error * error
            slopes[row, actions] = 2 * error * (1 - value * value) * of_value
    loss[1], loss[2] = policy_loss * of_policy, value_loss * of_value
    loss[0] = loss[1] + loss[2]
