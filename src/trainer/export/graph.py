"""The networks of this package as an ONNX graph, written node by node from their modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from trainer.core.errors import ModelError
from trainer.network import (
    AllPlanes,
    ConvStem,
    MoverView,
    PolicyValueNetwork,
    PooledBias,
    Residual,
    ResidualTower,
    SquaredReLU,
    SqueezeExcite,
    StonePlanes,
)
from trainer.replay import Metadata
from trainer.run.model_contract import OBSERVATION, POLICY_LOGITS, VALUE

OPSET = 17
END = 2**31 - 1
"""The end of a slice that goes to the last column."""


class Graph:
    """An ONNX graph under construction: nodes in order, weights by name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def node(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Append a node; returns the name of its output."""
        output = output or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def weight(self, name: str, values: np.ndarray) -> str:
        """Add a weight or a constant; returns its name."""
        self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def columns(self, source: str, start: int, end: int) -> str:
        """`source[:, start:end]`"""
        at = [self.weight(f"at_{n}", np.array([n], np.int64)) for n in (start, end, 1)]
        return self.node("Slice", source, *at)

    def as_image(self, source: str) -> str:
        """[B, C] as [B, C, 1, 1]"""
        return self.node("Unsqueeze", source, self.weight("axes_2_3", np.array([2, 3], np.int64)))

    def add(self, module: nn.Module, name: str, source: str, output: str = "") -> str:
        """Append a module applied to `source`. `name` is its name in the network, with which its weights' names begin."""
        translate = TRANSLATIONS.get(type(module))
        if translate is None:
            known = ", ".join(sorted(kind.__name__ for kind in TRANSLATIONS))
            raise ModelError(f"a {type(module).__name__} can't be exported to ONNX yet, only {known}; see {__name__}")
        return translate(self, module, name, source, output)


def _linear(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    weights = [graph.weight(f"{name}.{part}", numpy_of(getattr(module, part))) for part in ("weight", "bias")]
    return graph.node("Gemm", source, *weights, output=output, transB=1)


def _relu(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    return graph.node("Relu", source, output=output)


def _squared_relu(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    passed = graph.node("Relu", source)
    return graph.node("Mul", passed, passed, output=output)


def _sequential(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, nn.Sequential)
    for key, part in module.named_children():
        source = graph.add(part, f"{name}.{key}", source)
    return source


def _mover_view(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, MoverView)
    if module.exchange is None:
        return source
    if not module.swaps:
        other = graph.node("Gather", source, graph.weight("exchange", module.exchange), axis=1)
        return graph.node("Where", second_moves(graph, module), other, graph.columns(source, 0, module.end))
    first = graph.columns(source, 0, module.cells)
    second = graph.columns(source, module.cells, 2 * module.cells)
    swap = graph.columns(source, module.end + 1, module.end + 2)
    legal = graph.columns(source, 2 * module.cells, module.end)
    change = graph.node("Mul", swap, graph.node("Sub", second, first))
    own, other = graph.node("Add", first, change), graph.node("Sub", second, change)
    return graph.node("Concat", own, other, legal, axis=1)


def second_moves(graph: Graph, view: MoverView) -> str:
    """bool [B, 1]: whether the second player moves."""
    return graph.node("Cast", graph.columns(OBSERVATION, view.end + 1, view.end + 2), to=TensorProto.BOOL)


def turned_back(graph: Graph, view: MoverView, logits: str) -> str:
    """Logits of the view's actions as logits of the observation's."""
    assert view.actions is not None
    other = graph.node("Gather", logits, graph.weight("exchanged_actions", view.actions), axis=1)
    return graph.node("Where", second_moves(graph, view), other, logits, output=POLICY_LOGITS)


def _all_planes(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, AllPlanes)
    images = [graph.add(module.board, name, source)]
    ones = graph.weight("ones", np.ones((1, 1, *module.board.shape[1:]), np.float32))
    for start, end in module.spans:
        if end > start:
            shape = graph.weight(f"numbers_{start}", np.array([-1, end - start, 1, 1], np.int64))
            images.append(graph.node("Mul", graph.node("Reshape", graph.columns(source, start, end), shape), ones))
    return graph.node("Concat", *images, axis=1)


def _conv_stem(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, ConvStem)
    board = graph.add(module.board, name, source)
    filtered = [graph.add(conv, f"{name}.{key}", board) for key, conv in module.convolutions.items()]
    found = [graph.add(module.activation, f"{name}.activation", one) for one in filtered]
    legal = graph.columns(source, module.board.size, END)
    return graph.node("Concat", *[graph.node("Flatten", one) for one in found], legal, axis=1)


def _residual_tower(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, ResidualTower)
    board = graph.add(module.dense, f"{name}.dense", graph.add(module.tower, f"{name}.tower", source))
    legal = graph.add(module.moves, f"{name}.moves", graph.columns(source, *module.legal))
    return graph.add(module.activation, f"{name}.activation", graph.node("Add", board, legal))


def _stone_planes(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, StonePlanes)
    shape = graph.weight("board_shape", np.array([-1, *module.shape], np.int64))
    return graph.node("Reshape", graph.columns(source, 0, module.size), shape)


def _conv2d(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, nn.Conv2d)
    assert isinstance(module.padding, tuple)
    weights = [graph.weight(f"{name}.{part}", numpy_of(getattr(module, part))) for part in ("weight", "bias")]
    return graph.node("Conv", source, *weights, kernel_shape=list(module.kernel_size), pads=[*module.padding] * 2)


def _flatten(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    return graph.node("Flatten", source)


def _residual(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, Residual)
    return graph.node("Add", source, graph.add(module.inner, f"{name}.inner", source))


def _squeeze_excite(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, SqueezeExcite)
    means = graph.node("ReduceMean", source, axes=[2, 3], keepdims=0)
    squeezed = graph.node("Relu", graph.add(module.squeeze, f"{name}.squeeze", means))
    scale = graph.node("Sigmoid", graph.add(module.excite, f"{name}.excite", squeezed))
    return graph.node("Mul", source, graph.as_image(scale))


def _pooled_bias(graph: Graph, module: nn.Module, name: str, source: str, output: str) -> str:
    assert isinstance(module, PooledBias)
    pooled = [graph.node(op, source, axes=[2, 3], keepdims=0) for op in ("ReduceMean", "ReduceMax")]
    bias = graph.add(module.bias, f"{name}.bias", graph.node("Concat", *pooled, axis=1))
    return graph.node("Add", source, graph.as_image(bias))


Translation = Callable[[Graph, nn.Module, str, str, str], str]
TRANSLATIONS: dict[type[nn.Module], Translation] = {
    nn.Linear: _linear,
    nn.Conv2d: _conv2d,
    nn.Flatten: _flatten,
    nn.ReLU: _relu,
    SquaredReLU: _squared_relu,
    nn.Sequential: _sequential,
    StonePlanes: _stone_planes,
    AllPlanes: _all_planes,
    MoverView: _mover_view,
    ConvStem: _conv_stem,
    ResidualTower: _residual_tower,
    Residual: _residual,
    SqueezeExcite: _squeeze_excite,
    PooledBias: _pooled_bias,
}


def written_model(network: PolicyValueNetwork, game: Metadata) -> onnx.ModelProto:
    """The model of a network of this package. Raises ModelError for a module that has no translation."""
    graph = Graph()
    view = graph.add(network.view, "view", OBSERVATION)
    features = graph.add(network.body, "body", view)
    if network.view.actions is None:
        graph.add(network.policy, "policy", features, output=POLICY_LOGITS)
    else:
        turned_back(graph, network.view, graph.add(network.policy, "policy", features))
    graph.node("Tanh", graph.add(network.value, "value", features), output=VALUE)

    def tensor(name: str, width: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])

    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            game.env_id,
            [tensor(OBSERVATION, game.obs_size)],
            [tensor(POLICY_LOGITS, game.num_actions), tensor(VALUE, 1)],
            list(graph.weights.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
    )


def numpy_of(tensor: torch.Tensor) -> np.ndarray:
    """The values of a tensor on any device, in the tensor's own type."""
    return tensor.detach().cpu().numpy()
