"""Model files with weights of 16 bits, half as large: each weight is stored in float16, and a Cast makes it float32."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PREFIX = "half."
"""The stored weights have their names with this before them."""


def halved(content: bytes) -> bytes:
    """A model file with its float32 weights stored in float16. Raises ValueError if one is too large for that."""
    model = onnx.load_model_from_string(content)
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        name, weights = tensor.name, numpy_helper.to_array(tensor)
        if np.abs(weights).max(initial=0) > np.finfo(np.float16).max:
            raise ValueError(f"{name} has weights that are too large for float16")
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), PREFIX + name))
        casts.append(helper.make_node("Cast", [PREFIX + name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def parsed_model(content: bytes) -> onnx.ModelProto:
    """What a model file holds, with weights of float32 if it stores them in float16."""
    model = onnx.load_model_from_string(content)
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] in stored]
    for node in casts:
        tensor = stored[node.input[0]]
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), node.output[0]))
        graph.node.remove(node)
    return model
