"""The network as an ONNX file, published for actors.

The graph is written once, node by node, from the network's modules. After that only the weights are replaced, which takes a
few milliseconds. (torch's own exporter takes 1 to 5 s per call, and twice as long to import.) Every file's answers are
compared with torch's before it is published, so a wrong translation can't be published.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import trainer
from trainer.core.errors import ModelError
from trainer.network import (
    AllPlanes,
    ConvStem,
    MoverView,
    PolicyValueNetwork,
    PooledBias,
    Residual,
    SqueezeExcite,
    StonePlanes,
)
from trainer.replay import Metadata

OPSET = 17
IR_VERSION = 8
ARCHITECTURE = "PolicyValueNet"
"""Stated in the metadata of every model file. The network's class once had this name; files keep it for their readers."""
END = 2**31 - 1
"""The end of a slice that goes to the last column."""
TOLERANCE = 1e-5
"""Accepted difference between ONNX Runtime's and torch's outputs, relative to the largest output or to 1."""
CHECKED = 256
"""Rows at most whose outputs are compared: a tower takes a second for them on one core."""


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
    return graph.node("Cast", graph.columns("observation", view.end + 1, view.end + 2), to=TensorProto.BOOL)


def turned_back(graph: Graph, view: MoverView, logits: str) -> str:
    """Logits of the view's actions as logits of the observation's."""
    assert view.actions is not None
    other = graph.node("Gather", logits, graph.weight("exchanged_actions", view.actions), axis=1)
    return graph.node("Where", second_moves(graph, view), other, logits, output="policy_logits")


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
    found = graph.node("Relu", graph.add(module.conv, f"{name}.conv", graph.add(module.board, name, source)))
    legal = graph.columns(source, module.board.size, END)
    return graph.node("Concat", graph.node("Flatten", found), legal, axis=1)


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
    nn.Sequential: _sequential,
    StonePlanes: _stone_planes,
    AllPlanes: _all_planes,
    MoverView: _mover_view,
    ConvStem: _conv_stem,
    Residual: _residual,
    SqueezeExcite: _squeeze_excite,
    PooledBias: _pooled_bias,
}


def numpy_of(tensor: torch.Tensor) -> np.ndarray:
    """The values of a tensor on any device, in the tensor's own type."""
    return tensor.detach().cpu().numpy()


class Exporter:
    """The ONNX graph of one network; `to_bytes` fills in the network's current weights."""

    def __init__(self, network: PolicyValueNetwork, game: Metadata, stamp: str | None = None) -> None:
        """`stamp`: a hash of the game's rules, which the file's metadata then states as `rules`.

        Raises ModelError for a module that has no translation.
        """
        self._network = network
        graph = Graph()
        view = graph.add(network.view, "view", "observation")
        features = graph.add(network.body, "body", view)
        if network.view.actions is None:
            graph.add(network.policy, "policy", features, output="policy_logits")
        else:
            turned_back(graph, network.view, graph.add(network.policy, "policy", features))
        graph.node("Tanh", graph.add(network.value, "value", features), output="value")

        def tensor(name: str, width: int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])

        self._model = helper.make_model(
            helper.make_graph(
                graph.nodes,
                game.env_id,
                [tensor("observation", game.obs_size)],
                [tensor("policy_logits", game.num_actions), tensor("value", 1)],
                list(graph.weights.values()),
            ),
            producer_name="cartridge-trainer",
            producer_version=trainer.__version__,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(self._model, full_check=True)
        self._metadata = {
            "env_id": game.env_id,
            "architecture": ARCHITECTURE,
            "obs_size": str(game.obs_size),
            "num_actions": str(game.num_actions),
            "trainer_version": trainer.__version__,
        } | ({"rules": stamp} if stamp else {})

    def to_bytes(self, step: int, sample: np.ndarray, progress: float = 0.0) -> bytes:
        """The model file with the current weights. `progress`: the share of the run that is done, 0 to 1, for actors.

        Raises ModelError if ONNX Runtime's answers to `sample`, float32 [B, obs_size], differ from torch's or aren't finite.
        """
        weights = self._network.state_dict()
        model = (
            onnx.ModelProto()
        )  # a new message each time, because protobuf only frees what a field held with the whole message
        model.CopyFrom(self._model)
        for initializer in model.graph.initializer:
            if initializer.name in weights:
                initializer.raw_data = numpy_of(weights[initializer.name]).astype("<f4").tobytes()
        helper.set_model_props(model, self._metadata | {"step": str(step), "progress": f"{progress:.4f}"})
        content: bytes = model.SerializeToString()
        self.check(content, sample)
        return content

    def check(self, content: bytes, sample: np.ndarray) -> None:
        """Raise ModelError unless a model file answers `sample`, float32 [B, obs_size], as the network now does.

        Only the first rows are compared, see CHECKED.
        """
        sample = sample[:CHECKED]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        found = session.run(["policy_logits", "value"], {"observation": sample})
        network = self._network
        if next(network.parameters()).device.type != "cpu":  # a GPU may round more coarsely
            network = copy.deepcopy(network).cpu()
        with torch.no_grad():
            expected = network(torch.from_numpy(sample))
        for name, ours, theirs in zip(("policy_logits", "value"), expected, found, strict=True):
            if not np.isfinite(theirs).all():
                raise ModelError(f"the model answers NaN or infinity in {name}; it was not published")
            worst = float(np.abs(numpy_of(ours) - theirs).max())
            if worst > TOLERANCE * max(
                1.0, float(np.abs(theirs).max())
            ):  # rounding errors scale with the largest output
                raise ModelError(f"ONNX Runtime's {name} differs from torch's by {worst:.2g}; it was not published")
