"""The loss of a batch and its gradient by our own kernels, for the families of networks that train on a CPU.

Autograd starts about a hundred small operations per step, and multiplies all numbers of a layer, most of which are 0. The
kernels of `trainer.sparse` only add up what is active. `PolicyValueNetwork.loss` and autograd remain the definition: tests
compare every gradient with theirs.

B batch, A actions, L layers, F results of a layer, I inputs of a layer, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.compile.linker import Linked, link
from trainer.network import ACTIVATIONS, ConvStem, MoverNetwork, PolicyValueNetwork, Residual
from trainer.replay import Batch
from trainer.sparse import backward, forward, lanes
from trainer.sparse.backward import TRANSPOSED_ROWS, Gradient, TransposeBuffer
from trainer.sparse.builder import SparseNetworkBuilder
from trainer.sparse.lanes import BLOCK
from trainer.sparse.network import Floats, SparseNetwork, aligned, memory_for
from trainer.training.steps import heads as head_kernels


def can_differentiate(network: MoverNetwork) -> TypeGuard[PolicyValueNetwork]:
    """Whether the kernels compute the gradient of a network: its family is `mlp` or `conv`, and it is on the CPU.

    A subclass may have another loss.
    """
    if type(network) is not PolicyValueNetwork:
        return False
    plain = [nn.Linear, ACTIVATIONS[network.settings.activation]]
    kinds = [type(module) for module in network.body]
    if kinds == [ConvStem, *plain, Residual]:
        stem, *_, tail = network.body
        assert isinstance(stem, ConvStem)
        assert isinstance(tail, Residual)
        kinds = [type(module) for module in tail.inner.children()]
        if type(stem.activation) is not ACTIVATIONS[network.settings.activation]:
            return False
    return kinds == plain * (len(kinds) // 2) and network.weight.device.type == "cpu"


def parameters_of(network: PolicyValueNetwork) -> list[Tensor]:
    """The parameters, in an order in which the two heads are one layer with A + 1 results, the value last."""
    policy, value = network.policy, network.value
    return [*network.body.parameters(), policy.weight, value.weight, policy.bias, value.bias]


def pieces(flat: Tensor, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
    """A vector [P], cut into views of these shapes."""
    parts = torch.split(flat, [math.prod(shape) for shape in shapes])
    return [part.view(*shape) for part, shape in zip(parts, shapes, strict=True)]


class LossGradient:
    """Computes the loss of a batch and its gradient, for a network that `can_differentiate` accepts.

    The weights are kept in the order in which the kernels read them, with gaps, which are 0. N numbers in all.
    """

    def __init__(self, network: PolicyValueNetwork) -> None:
        """All weights are 0 until they are `placed` in `values`."""
        shapes = [parameter.shape for parameter in parameters_of(network)]
        parameters = sum(map(math.prod, shapes))
        own = pieces(torch.arange(1, parameters + 1, dtype=torch.int32), shapes)
        # A network whose weights are the numbers of the parameters, counted from 1, with 0 in the gaps. It shows which
        # parameter each place holds.
        numbers = layers_of(network, [part.numpy() for part in own])
        found = np.concatenate([numbers.weights, numbers.biases])
        held = np.flatnonzero(found)
        self._places = held[np.argsort(found[held])]
        self._gaps = np.flatnonzero(found == 0)
        first_bias = len(numbers.weights)
        self.values, self.gradient = (aligned(len(found), np.float32) for _ in range(2))
        """[N] the weights, and the derivatives of the last batch's loss with respect to them."""
        transposed = aligned(first_bias, np.float32)
        of_heads = transposed[int(numbers.layers["weights"][-1]) :] if numbers.legal >= 0 else transposed[:0]
        self._network = numbers._replace(
            weights=self.values[:first_bias], biases=self.values[first_bias:], by_result=of_heads
        )
        self._gradient = Gradient(
            self.gradient[:first_bias],
            self.gradient[first_bias:],
            transposed,
            np.zeros(len(numbers.layers), np.bool_),
        )
        widest = int(max(numbers.layers["inputs"].max(), numbers.layers["results"].max()))
        self._buffer = TransposeBuffer(
            aligned(widest * TRANSPOSED_ROWS, np.float32),
            aligned(widest * TRANSPOSED_ROWS // BLOCK, np.uint64),
            aligned(TRANSPOSED_ROWS * BLOCK, np.float32),
        )
        self._learns = np.isin(numbers.layers["source"], numbers.layers["target"])
        self._outputs = network.policy.out_features + 1
        self._rows = -1

    @property
    def from_results(self) -> NDArray[np.bool_]:
        """[L] in the last batch, the layer's weight gradient was added up over its active results, not its active inputs."""
        return self._gradient.from_results

    def placed(self, of_parameters: Floats, to: Floats) -> None:
        """Write one number per parameter [P] to their places in `to` [N]; the gaps stay as they are."""
        to[self._places] = of_parameters

    def of_parameters(self, placed: Floats) -> Floats:
        """The numbers at the parameters' places [N], in the order of `parameters_of` [P]."""
        return placed[self._places]

    def __call__(self, batch: Batch) -> Floats:
        """The loss [3] of a batch (total, policy, value); writes `gradient`."""
        rows, network = len(batch.value_target), self._network
        legal, policy_target = batch.legal, batch.policy_target
        if len(network.actions):  # the loss doesn't depend on the order of the actions, so it is that of the view
            second = batch.observation[:, network.seen + 1 :][:, :1] > 0
            legal = np.where(second, legal[:, network.actions], legal)
            policy_target = np.where(second, policy_target[:, network.actions], policy_target)
        self.prepare(rows)
        kernels = self._kernels
        if network.legal >= 0:
            self._transpose_heads(kernels)
        kernels.forward.pass_through(network, self._memory, rows, batch.observation)
        loss = np.empty(3, np.float32)
        if network.legal >= 0:
            self._set_active(np.pad(legal, ((0, 0), (0, 1)), constant_values=True))
        kernels.heads.differentiate_heads(
            self._heads, legal, policy_target, batch.value_target, loss, self._head_deltas
        )
        self._differentiate(kernels, rows)
        return loss

    def _transpose_heads(self, kernels: Linked) -> None:
        """Write the heads' weights in the order in which the logits of legal moves are computed."""
        heads = self._network.layers[-1]
        begin, inputs, results = (int(heads[name]) for name in ("weights", "inputs", "results"))
        kernels.backward.transpose_blocks(self._network.weights, begin, inputs, results, self._gradient.transposed)

    def _differentiate(self, kernels: Linked, rows: int) -> None:
        """Write the gradient, from the deltas of the heads."""
        kernels.backward.differentiate(
            self._network,
            self._learns,
            rows,
            self._memory,
            self._deltas,
            self._buffer,
            self._gradient,
        )
        # The layer that reads the view beside a convolution has inputs, but no weights, for the board.
        self.gradient[self._gaps] = 0.0

    def prepare(self, rows: int) -> None:
        """Allocate memory for batches of this size, unless it is there, and load the kernels the first time."""
        if rows == self._rows:
            return
        self._memory, self._deltas = memory_for(self._network, rows), memory_for(self._network, rows)
        heads = self._network.layers[-1]
        width, begin = int(heads["results"]), int(heads["target"]) * rows
        end = begin + rows * width
        self._heads, self._head_deltas = (
            memory.activations[begin:end].reshape(rows, width) for memory in (self._memory, self._deltas)
        )
        self._active = self._deltas.active[begin // BLOCK : end // BLOCK].reshape(rows, -1)
        self._set_active(np.ones((1, self._outputs), np.bool_))
        if self._rows < 0:
            self._kernels = link(lanes, forward, backward, head_kernels, warm_up=self._warm_up)
        self._rows = rows

    def _set_active(self, outputs: NDArray[np.bool_]) -> None:
        """Set which of the heads' results have a delta that isn't 0: bool [B or 1, A + 1]."""
        words = np.zeros((len(outputs), self._heads.shape[1]), np.bool_)
        words[:, : outputs.shape[1]] = outputs
        self._active[:] = np.packbits(words, axis=1, bitorder="little").view(np.uint64)

    def _warm_up(self, linked: Linked) -> None:
        """Call each kernel once, with zero rows."""
        network, nothing, no_rows = self._network, np.zeros(0, np.float32), np.zeros((0, 1), np.float32)
        linked.forward.pass_through(network, self._memory, 0, no_rows)
        linked.heads.differentiate_heads(no_rows, no_rows > 0, no_rows, nothing, np.empty(3, np.float32), no_rows)
        self._transpose_heads(linked)
        self._differentiate(linked, 0)


def layers_of(network: PolicyValueNetwork, values: Sequence[NDArray[Any]]) -> SparseNetwork:
    """The layout of a network that `can_differentiate` accepts, with `values` as its parameters, of the same shapes."""
    view, stem = network.view, network.body[0]
    *body, policy, value, policy_bias, value_bias = values
    builder = SparseNetworkBuilder(view.layout, view.size, squared=network.settings.activation == "squared-relu")
    layers = list(zip(body[::2], body[1::2], strict=True))
    if isinstance(stem, ConvStem):
        *convolutions, first, tail = layers
        for convolution in convolutions:
            builder.add_convolution(*convolution, *stem.board.shape[1:])
        builder.add_after_stem(*first)
        builder.add_dense(*tail, residual=True)
    else:
        for layer in layers:
            builder.add_dense(*layer)
    heads, biases = np.concatenate([policy, value]), np.concatenate([policy_bias, value_bias])
    builder.add_dense(heads, biases, rectified=False)
    return builder.build()
