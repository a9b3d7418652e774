"""Models small enough to write down: one matrix each, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trainer.games import game_of


def write_model(path: Path, env_id: str, seed: int | None = None, step: int | None = None) -> Path:
    """A model whose logits are the observation times a random matrix (None: zero), and whose value is 0."""
    game = game_of(env_id)
    weights = np.zeros((game.obs_size, game.num_actions), np.float32)
    if seed is not None:
        weights += np.random.default_rng(seed).standard_normal(weights.shape)
    value = np.zeros((game.obs_size, 1), np.float32)

    def tensor(name: str, width: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])

    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["observation", "weights"], ["policy_logits"]),
            helper.make_node("MatMul", ["observation", "zeros"], ["value"]),
        ],
        "tiny",
        [tensor("observation", game.obs_size)],
        [tensor("policy_logits", game.num_actions), tensor("value", 1)],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(value, "zeros")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    if step is not None:
        helper.set_model_props(model, {"env_id": env_id, "step": str(step)})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
