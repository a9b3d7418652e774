"""Models of the trainer's MLP and convolutional families as layers that `sparse.py` evaluates."""

from __future__ import annotations

import re
import threading
from types import ModuleType
from typing import TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from trainer.actor import lanes, sparse
from trainer.actor.lanes import BLOCK
from trainer.actor.sparse import LAYER, Floats, Memory, Network
from trainer.games import game_of
from trainer.games.base import Game
from trainer.games.compiled import compiled
from trainer.inference import OnnxModel, Outputs

SHAPE = re.compile(
    "(?P<view>Slice Slice Slice Slice Sub Mul Add Sub Concat )?"
    "(?P<stem>Slice Reshape Conv Relu Slice Flatten Concat )?"
    "(?P<body>(?:Gemm Relu (?:Add )?)+)"
    "Gemm Gemm (?P<value>Tanh|Softmax Slice Slice Sub)"
)
"""The operations of such a model's file in order, as `trainer.export` writes them."""
Number = TypeVar("Number", bound=np.generic)

ALIGNMENT = 64
"""Bytes of a line of the processor's caches."""
NO_NETWORK = Network(
    layers=np.zeros(0, LAYER),
    weights=np.zeros(0, np.float32),
    biases=np.zeros(0, np.float32),
    swapped=0,
    seen=0,
    view_width=0,
    taps=np.zeros((0, 0), np.int64),
    columns=0,
    value_logits=1,
)


class SparseTwin:
    """Makes the twin of each model of one game that can be evaluated layer by layer."""

    manner = "by its active inputs"
    farthest = 1e-4

    def __init__(self, env_id: str) -> None:
        self._game = game_of(env_id)

    def __call__(self, content: bytes, model: OnnxModel) -> OnnxModel | None:
        """The twin of `model`, whose file is `content`; None for a model of another kind."""
        network = network_of(content, self._game)
        return SparseModel(model, self._game, network) if network else None


class SparseModel(OnnxModel):
    """A model evaluated layer by layer; several threads may ask at once."""

    def __init__(self, model: OnnxModel, game: Game, network: Network) -> None:
        """`network` as it was found in the file of `model`."""
        vars(self).update(vars(model))  # all that is known of it; its file was loaded and checked once
        self.network = network
        self._own = threading.local()
        self._num_actions = game.num_actions
        *_, self._kernels = compiled(game.env_id, lanes, sparse, warm_up=self._warm_up)

    def outputs(self, observation: Floats) -> Outputs:
        """What the layers answer to observations [B, obs_size]."""
        rows = len(observation)
        logits, value = np.empty((rows, self._num_actions), np.float32), np.empty(rows, np.float32)
        if getattr(self._own, "rows", -1) < rows:
            self._own.rows, self._own.memory = rows, memory_for(self.network, rows)
        self._kernels.evaluate(self.network, self._own.memory, rows, np.ascontiguousarray(observation), logits, value)
        return logits, value[:, None]

    def _warm_up(self, rules: ModuleType, rows: ModuleType, lanes: ModuleType, kernels: ModuleType) -> None:
        """Call the kernel once, without a position."""
        logits, value = np.zeros((0, self._num_actions), np.float32), np.zeros(0, np.float32)
        kernels.evaluate(self.network, memory_for(self.network, 0), 0, np.zeros((0, 1), np.float32), logits, value)


def memory_for(network: Network, rows: int) -> Memory:
    """Memory to evaluate so many rows in."""
    return Memory(aligned(rows * network.columns, np.float32), aligned(rows * network.columns // BLOCK, np.uint64))


def network_of(content: bytes, game: Game) -> Network | None:
    """The layers of a model file of a game; None for a file of another kind.

    Looks at the kinds of operations and the shapes of weights alone: compare the answers before you trust them.
    """
    graph = onnx.load_model_from_string(content).graph
    found = SHAPE.fullmatch(" ".join(node.op_type for node in graph.node))
    if not found:
        return None
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    *body, policy, value = [(weights[node.input[1]], weights[node.input[2]]) for node in layers]
    residual = [bool(add) for add in re.findall("Gemm Relu (Add )?", found["body"])]
    assembly = Assembly(game, swaps=bool(found["view"]))
    if found["stem"]:
        conv, first, *body = body
        reshape = next(node for node in graph.node if node.op_type == "Reshape")
        assembly.stem(*conv, *weights[reshape.input[1]][2:])
        assembly.joined(*first)
        residual = residual[1:]
    for (weight, bias), adds_inputs in zip(body, residual, strict=True):
        assembly.dense(weight, bias, residual=adds_inputs)
    heads, biases = zip(policy, value, strict=True)
    assembly.dense(np.concatenate(heads), np.concatenate(biases), rectified=False)
    return assembly.network(len(value[0]))


class Assembly:
    """Layers, appended one by one."""

    def __init__(self, game: Game, swaps: bool) -> None:
        """Begin with the view of an observation; `swaps`: from the mover's side."""
        self._cells = game.num_cells
        self._swapped = game.num_cells if swaps else 0
        self._seen = 2 * game.num_cells + game.num_actions if swaps else game.obs_size
        self._view = padded(self._seen)
        self._taps = np.zeros((0, 0), np.int64)
        self._layers: list[tuple[int, ...]] = []
        self._weights: list[Floats] = []
        self._biases: list[Floats] = []
        self._columns = self._places = 0
        self._newest = self._region(self._view)

    def stem(self, weight: Floats, bias: Floats, height: int, width: int) -> None:
        """A convolution over the planes without padding, behind it a ReLU: `weight` [F, planes, k, k], `bias` [F]."""
        filters, planes, side, _ = weight.shape
        kernel = np.arange(planes)[:, None, None] * self._cells + np.arange(side)[:, None] * width + np.arange(side)
        corners = np.arange(height - side + 1)[:, None] * width + np.arange(width - side + 1)
        places, inputs = corners.size, padded(kernel.size)
        columns = corners.reshape(-1, 1) + kernel.reshape(1, -1)  # [places, the inputs there]
        seen_as = np.arange(places)[:, None] * inputs + np.arange(kernel.size)
        self._taps = np.full((self._view, np.bincount(columns.ravel()).max()), -1)
        for column in range(planes * self._cells):
            found = seen_as[columns == column]
            self._taps[column, : len(found)] = found
        patches = self._region(places * inputs)
        self._newest = self._region(places * padded(filters))
        self._places = places
        self._append(patches, self._newest, weight.reshape(filters, -1).T, bias, places=places, rectified=True)

    def joined(self, weight: Floats, bias: Floats) -> None:
        """A layer, behind it a ReLU, whose inputs are the stem's results, filter by filter, and the legal moves."""
        places, stem = self._places, self._newest
        filters = (weight.shape[1] - (self._seen - 2 * self._cells)) // places
        by_filter, legal = np.split(weight, [filters * places], axis=1)
        by_place = np.zeros((places, stem[1] // places, len(weight)), np.float32)
        by_place[:, :filters] = by_filter.reshape(-1, filters, places).transpose(2, 1, 0)
        of_view = np.zeros((self._view, len(weight)), np.float32)
        of_view[2 * self._cells : self._seen] = legal.T
        self._newest = self._region(padded(len(weight)))
        self._append(stem, self._newest, by_place.reshape(-1, len(weight)), bias)
        self._append((0, self._view), self._newest, of_view, bias[:0], adds=True, rectified=True)

    def dense(self, weight: Floats, bias: Floats, *, rectified: bool = True, residual: bool = False) -> None:
        """A layer whose inputs are the newest results: `weight` [F, I], `bias` [F]; `residual`: and adds them in the end."""
        source, self._newest = self._newest, self._region(padded(len(weight)))
        self._append(source, self._newest, weight.T, bias, rectified=rectified, residual=residual)

    def network(self, value_logits: int) -> Network:
        """All of it, the last layer being the heads."""
        return Network(
            layers=np.array(self._layers, LAYER),
            weights=joined(self._weights),
            biases=joined(self._biases),
            swapped=self._swapped,
            seen=self._seen,
            view_width=self._view,
            taps=self._taps,
            columns=self._columns,
            value_logits=value_logits,
        )

    def _region(self, width: int) -> tuple[int, int]:
        """Room for so many numbers: column, width."""
        self._columns += width
        return self._columns - width, width

    def _append(
        self,
        source: tuple[int, int],
        target: tuple[int, int],
        matrix: Floats,
        bias: Floats,
        places: int = 1,
        adds: bool = False,
        rectified: bool = False,
        residual: bool = False,
    ) -> None:
        """A layer from one region to another; `matrix` [I, F]."""
        inputs, results = source[1] // places, target[1] // places
        filled, filled_bias = np.zeros((inputs, results), np.float32), np.zeros(results, np.float32)
        filled[: matrix.shape[0], : matrix.shape[1]] = matrix
        filled_bias[: len(bias)] = bias
        begin = sum(map(len, self._weights)), sum(map(len, self._biases))
        self._layers.append((source[0], target[0], inputs, results, places, *begin, adds, rectified, residual))
        self._weights.append(filled.reshape(inputs, -1, BLOCK).swapaxes(0, 1).ravel())
        self._biases.append(filled_bias)


def padded(width: int) -> int:
    """The next multiple of a block."""
    return -(-width // BLOCK) * BLOCK


def joined(parts: list[Floats]) -> Floats:
    """The parts in one array, which begins at the start of a line of the cache."""
    return np.concatenate(parts, out=aligned(sum(map(len, parts)), np.float32))


def aligned(length: int, dtype: type[Number]) -> NDArray[Number]:
    """An array of zeros that begins at the start of a line of the cache."""
    size = length * np.dtype(dtype).itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT
    return memory[begin : begin + size].view(dtype)
