"""Small ONNX models whose outputs are easy to work out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from trainer.games import game_of


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
    value: float = 1.0,
) -> bytes:
    """A model with policy_logits = observation @ weights, and value = `value` times the first number of the observation.

    `weights` [obs_size, num_actions]. The other arguments can make shapes, names and types wrong, to test how they are
    refused.
    """
    obs_size, num_actions = weights.shape
    kind = helper.tensor_dtype_to_np_dtype(dtype)
    value_weights = np.zeros((obs_size, value_width))
    value_weights[0] = value
    nodes = [
        helper.make_node("MatMul", [input_name, "weights"], [policy_name]),
        helper.make_node("MatMul", [input_name, "value_weights"], [value_name]),
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
            numpy_helper.from_array(weights.astype(kind), "weights"),
            numpy_helper.from_array(value_weights.astype(kind), "value_weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    content: bytes = model.SerializeToString()
    return content


def write_model(path: Path, env_id: str, seed: int | None = None, step: int | None = None) -> Path:
    """Write a model whose logits are the observation times a random matrix, and whose value is 0.

    Without a `seed` the matrix is zero, so the policy is uniform. `step` adds metadata.
    """
    game = game_of(env_id)
    weights = np.zeros((game.obs_size, game.num_actions), np.float32)
    if seed is not None:
        weights += np.random.default_rng(seed).standard_normal(weights.shape)
    metadata = {} if step is None else {"env_id": env_id, "step": str(step)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(linear_model(weights, value=0.0, metadata=metadata))
    return path
