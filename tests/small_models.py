"""Small ONNX models whose answers can be worked out in one's head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


def linear_model(
    weights: NDArray[np.float32],
    *,
    metadata: dict[str, str] | None = None,
    value_width: int = 1,
    batch: int | str = "batch",
    stated_actions: int | str | None = None,
    dtype: int = TensorProto.FLOAT,
    further_output: str | None = None,
    input_name: str = "observation",
    policy_name: str = "policy_logits",
    value_name: str = "value",
) -> bytes:
    """A model file: policy_logits = observation @ weights, and value = the first number of the observation.

    `weights` [obs_size, num_actions]; shapes, names and types can be as right or as wrong as a test wants them.
    """
    obs_size, num_actions = weights.shape
    nodes = [
        helper.make_node("MatMul", [input_name, "weights"], [policy_name]),
        helper.make_node("Gather", [input_name, "columns"], [value_name], axis=1),
    ]
    outputs = [
        helper.make_tensor_value_info(policy_name, dtype, [batch, stated_actions or num_actions]),
        helper.make_tensor_value_info(value_name, dtype, [batch, value_width]),
    ]
    if further_output:
        nodes.append(helper.make_node("Identity", [input_name], [further_output]))
        outputs.insert(0, helper.make_tensor_value_info(further_output, dtype, [batch, obs_size]))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info(input_name, dtype, [batch, obs_size])],
        outputs,
        [
            numpy_helper.from_array(weights.astype(helper.tensor_dtype_to_np_dtype(dtype)), "weights"),
            numpy_helper.from_array(np.zeros(value_width, np.int64), "columns"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    content: bytes = model.SerializeToString()
    return content
