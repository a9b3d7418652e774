"""Reads model files with weights of 16 bits, half as large: a weight is stored in float16, and a Cast makes it float32.

`tools/ship_model.py` makes such files.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper


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
