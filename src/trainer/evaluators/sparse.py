"""Models of the mlp and conv families, evaluated by their active inputs (`trainer.sparse`)."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from functools import cache

import numpy as np
import onnx
from onnx import numpy_helper

from trainer.compile.linker import Linked, link
from trainer.evaluators.half_precision import parsed_model
from trainer.evaluators.interface import Evaluator, Observations
from trainer.evaluators.model import ModelEvaluator, ModelInfo, Outputs
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.games import game_of
from trainer.games.base import Game
from trainer.games.layout import layout_of
from trainer.sparse import forward, lanes
from trainer.sparse.builder import SparseNetworkBuilder
from trainer.sparse.network import LAYER, NO_NETWORK, Memory, SparseNetwork, memory_for

SHAPE = re.compile(
    "(?P<view>Slice Slice Slice Slice Sub Mul Add Sub Concat |Gather Slice Cast Slice Where )?"
    "(?P<stem>Slice Reshape (?:Conv )+(?:Relu (?:Mul )?)+Slice (?:Flatten )+Concat )?"
    "(?P<body>(?:Gemm Relu (?:Mul )?(?:Add )?)+)"
    "Gemm (?:Gather Slice Cast Where )?Gemm Tanh"
)
"""The operations of such a model's file in order, as `trainer.export.graph` writes them."""


@cache
def forward_kernels() -> Linked:
    """The kernels that evaluate a network by its active inputs, compiled. Every model uses the same."""
    return link(lanes, forward, warm_up=_warm_up)


def _warm_up(linked: Linked) -> None:
    """Call the kernel once, with a layer that has nothing in it and without a position."""
    network = NO_NETWORK._replace(layers=np.zeros(1, LAYER))
    no_row = np.zeros((0, 1), np.float32)
    linked.forward.evaluate(network, memory_for(network, 0), 0, no_row, no_row, np.zeros(0, np.float32))


class SparseAccelerator:
    """Makes the sparse evaluator of each model of one game, if its network is of a known family."""

    manner = "by its active inputs"
    tolerance = 1e-4

    def __init__(self, env_id: str) -> None:
        self._game = game_of(env_id)

    def __call__(self, content: bytes, original: OnnxEvaluator) -> SparseEvaluator | None:
        """A faster evaluator of `original`, whose file is `content`; None for a network of another family."""
        network = network_of(content, self._game)
        return SparseEvaluator(original.info, network, self._game.num_actions) if network else None

    def accepted(self, evaluator: Evaluator, original: OnnxEvaluator) -> Evaluator:
        """The evaluator itself."""
        return evaluator


class Scratch(threading.local):
    """Each thread's memory for a network's activations."""

    rows = -1
    memory: Memory


class SparseEvaluator(ModelEvaluator):
    """A network evaluated by its active inputs; several threads may use it at once."""

    layers: SparseNetwork

    def __init__(self, info: ModelInfo, network: SparseNetwork, num_actions: int) -> None:
        """`network`: the layers in the file that `info` describes."""
        super().__init__(info)
        self.layers = network
        self._scratch = Scratch()
        self._num_actions = num_actions
        self._kernels = forward_kernels().forward

    def outputs(self, observation: Observations) -> Outputs:
        """The network's outputs for observations [B, obs_size], unchecked."""
        rows, scratch = len(observation), self._scratch
        logits, value = np.empty((rows, self._num_actions), np.float32), np.empty(rows, np.float32)
        if scratch.rows < rows:
            scratch.rows, scratch.memory = rows, memory_for(self.layers, rows)
        self._kernels.evaluate(self.layers, scratch.memory, rows, np.ascontiguousarray(observation), logits, value)
        return logits, value[:, None]


def network_of(content: bytes, game: Game) -> SparseNetwork | None:
    """The layers of a model file of a game; None for a network of another family.

    Only operations and shapes are inspected, so compare the answers with the original's before using them.
    """
    graph = parsed_model(content).graph
    found = SHAPE.fullmatch(" ".join(node.op_type for node in graph.node))
    if not found:
        return None
    rectified, squared = found[0].count("Relu"), squared_relus(graph)
    if squared not in (0, rectified) or squared != found[0].count("Relu Mul"):
        return None
    if found["stem"] and len({found["stem"].count(op) for op in ("Conv", "Relu", "Flatten")}) > 1:
        return None
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    *body, policy, value = [(weights[node.input[1]], weights[node.input[2]]) for node in layers]
    residual = [bool(add) for add in re.findall("Gemm Relu (?:Mul )?(Add )?", found["body"])]
    layout = layout_of(game)
    if bool(found["view"]) != (layout.exchange is not None):  # a model that sees who moves: written by another program
        layout = replace(layout, exchange=None, actions=None)
    builder = SparseNetworkBuilder(layout, game.obs_size, squared=squared > 0)
    if found["stem"]:
        reshape = next(node for node in graph.node if node.op_type == "Reshape")
        for _ in range(found["stem"].count("Conv")):
            builder.add_convolution(*body.pop(0), *weights[reshape.input[1]][2:])
        builder.add_after_stem(*body.pop(0))
        residual = residual[1:]
    for (weight, bias), adds_inputs in zip(body, residual, strict=True):
        builder.add_dense(weight, bias, residual=adds_inputs)
    heads, biases = zip(policy, value, strict=True)
    builder.add_dense(np.concatenate(heads), np.concatenate(biases), rectified=False)
    return builder.build()


def squared_relus(graph: onnx.GraphProto) -> int:
    """How many ReLUs of a graph are followed by their square, a product of the result with itself."""
    passed = {node.output[0] for node in graph.node if node.op_type == "Relu"}
    squares = [node for node in graph.node if node.op_type == "Mul" and node.input[0] == node.input[1]]
    return sum(node.input[0] in passed for node in squares)
