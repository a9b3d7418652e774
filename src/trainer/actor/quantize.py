"""Models in 8-bit integers, for self-play only: half the time of an evaluation, and nearly the same answers.

The wide matrix products of a model take their inputs, weights and results as 8-bit integers (Jacob et al. 2017). The ranges
of inputs and results are found once a model, on positions of random games, so that a row's answer depends on that row alone.
"""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_static

from trainer.evaluators.acceleration import Rows, random_play
from trainer.evaluators.onnx_file import OnnxModel
from trainer.games import game_of

BATCH = 128
"""Positions evaluated at once to find the ranges."""
NARROWEST = 64
"""Matrix products with fewer inputs or results stay float32, and so do the heads: they cost little and decide."""
PREPROCESSED = ("onnx.quant.pre_process", "onnxruntime.quant")
"""Mark of a model that ONNX Runtime would not ask to prepare first; ours have nothing to fold."""


class Quantizer:
    """Makes the quantized twin of each model of one game."""

    manner = "in 8-bit integers"
    farthest = 0.05

    def __init__(self, env_id: str) -> None:
        self._game = game_of(env_id)
        self._ranges, _ = random_play(env_id, seed=0)

    def __call__(self, content: bytes, model: OnnxModel) -> OnnxModel | None:
        """The twin of `model`, whose file is `content`; None where there is nothing to gain."""
        game = self._game
        small = quantize(content, self._ranges, max(NARROWEST, game.num_actions + 1))
        if small is content:
            return None
        return OnnxModel(small, model.source, game.env_id, game.obs_size, game.num_actions)


class Batches:
    """Observations as ONNX Runtime asks for them: batch by batch, then None."""

    def __init__(self, observations: Rows) -> None:
        self._parts = iter(np.split(observations, range(BATCH, len(observations), BATCH)))

    def get_next(self) -> dict[str, Rows] | None:
        """The inputs of the next batch by name."""
        part = next(self._parts, None)
        return None if part is None else {"observation": part}


def quantize(content: bytes, observations: Rows, narrowest: int) -> bytes:
    """The model file with its wide matrix products in 8-bit integers, their ranges those of `observations`.

    `content` itself where no product has `narrowest` inputs and results. Raises whatever ONNX Runtime does where a model
    is beyond it.
    """
    model = onnx.load_model_from_string(content)
    weights = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    wide = [
        node.name
        for node in model.graph.node
        if node.op_type in ("Gemm", "MatMul") and min(weights.get(node.input[1], (0,))) >= narrowest
    ]
    if not wide:
        return content
    model.metadata_props.add(key=PREPROCESSED[0], value=PREPROCESSED[1])
    with tempfile.TemporaryDirectory(prefix="trainer-") as folder:
        source, target = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        onnx.save_model(model, source)
        batches: Any = Batches(observations)
        quantize_static(
            *(source, target, batches),
            op_types_to_quantize=["Gemm", "MatMul"],
            nodes_to_quantize=wide,
            per_channel=True,
            reduce_range=sums_overflow(),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


def sums_overflow() -> bool:
    """Whether this processor adds products of 8 bits in 16, as x86 does without VNNI; weights of 7 bits then leave room."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        return "vnni" not in Path("/proc/cpuinfo").read_text()
    except OSError:
        return True  # a system that doesn't tell
