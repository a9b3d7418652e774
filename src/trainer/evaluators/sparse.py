"""Models of the trainer's MLP and convolutional families as layers that `trainer.sparse` evaluates."""

from __future__ import annotations

import re
import threading
from types import ModuleType

import numpy as np
import onnx
from onnx import numpy_helper

from trainer.compile.linker import compiled
from trainer.evaluators.onnx_file import OnnxModel, Outputs
from trainer.games import game_of
from trainer.games.base import Game
from trainer.sparse import forward, lanes
from trainer.sparse.layout import Assembly, Floats, Network, memory_for

SHAPE = re.compile(
    "(?P<view>Slice Slice Slice Slice Sub Mul Add Sub Concat )?"
    "(?P<stem>Slice Reshape Conv Relu Slice Flatten Concat )?"
    "(?P<body>(?:Gemm Relu (?:Add )?)+)"
    "Gemm Gemm (?P<value>Tanh|Softmax Slice Slice Sub)"
)
"""The operations of such a model's file in order, as `trainer.export` writes them."""


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
        _, self._kernels = compiled(None, lanes, forward, warm_up=self._warm_up)

    def outputs(self, observation: Floats) -> Outputs:
        """What the layers answer to observations [B, obs_size]."""
        rows = len(observation)
        logits, value = np.empty((rows, self._num_actions), np.float32), np.empty(rows, np.float32)
        if getattr(self._own, "rows", -1) < rows:
            self._own.rows, self._own.memory = rows, memory_for(self.network, rows)
        self._kernels.evaluate(self.network, self._own.memory, rows, np.ascontiguousarray(observation), logits, value)
        return logits, value[:, None]

    def _warm_up(self, lanes: ModuleType, kernels: ModuleType) -> None:
        """Call the kernel once, without a position."""
        logits, value = np.zeros((0, self._num_actions), np.float32), np.zeros(0, np.float32)
        kernels.evaluate(self.network, memory_for(self.network, 0), 0, np.zeros((0, 1), np.float32), logits, value)


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
    swaps = bool(found["view"])
    seen = 2 * game.num_cells + game.num_actions if swaps else game.obs_size
    assembly = Assembly(game.num_cells, seen, swaps)
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
