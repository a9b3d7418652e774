"""Models in 8-bit integers, for self-play only: half the time of an evaluation, and nearly the same answers.

The wide matrix products of a model take their inputs, weights and results as 8-bit integers (Jacob et al. 2017). The ranges
of inputs and results are found once a model, on positions of random games, so that a row's answer depends on that row alone.
The file that was published stays as it is: whoever measures or plays a model has its float32.
"""

from __future__ import annotations

import logging
import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_static

from trainer.games import game_of
from trainer.games.base import OPEN, Mask
from trainer.games.positions import Positions
from trainer.inference import OnnxModel, first_line

log = logging.getLogger(__name__)

GAMES = 32
"""Random games whose positions the ranges are found on, and as many others on which the answers are compared."""
BATCH = 128
"""Positions evaluated at once to find the ranges."""
NARROWEST = 64
"""Matrix products with fewer inputs or results stay float32, and so do the heads: they cost little and decide."""
FARTHEST = 0.05
"""Mean difference of the values, or mean total variation of the priors, above which a twin is not used."""
PREPROCESSED = ("onnx.quant.pre_process", "onnxruntime.quant")
"""Mark of a model that ONNX Runtime would not ask to prepare first; ours have nothing to fold."""

Rows = NDArray[np.float32]


class Quantizer:
    """Makes the quantized twin of each model of one game."""

    def __init__(self, env_id: str) -> None:
        self._game = game_of(env_id)
        self._ranges, _ = random_play(env_id, seed=0)
        self._unseen = random_play(env_id, seed=1)
        self._in_trouble = False

    def __call__(self, content: bytes, model: OnnxModel) -> OnnxModel:
        """The twin of `model`, whose file is `content`; `model` itself where there is nothing to gain, or it doesn't work.

        Raises ModelError where the model itself fails.
        """
        game = self._game
        answers = model(*self._unseen)
        try:
            small = quantize(content, self._ranges, max(NARROWEST, game.num_actions + 1))
            if small is content:
                return model
            twin = OnnxModel(small, model.source, game.env_id, game.obs_size, game.num_actions)
            apart = distance(answers, twin(*self._unseen))
            trouble = f"answers otherwise in 8-bit integers, by {apart:.2f}" if apart > FARTHEST else ""
        except Exception as error:  # the library raises whatever its parts do
            trouble = f"can't be turned into 8-bit integers ({first_line(error) or type(error).__name__})"
        if trouble and not self._in_trouble:
            log.warning("%s %s; playing with it in float32, which is slower", model.source, trouble)
        self._in_trouble = bool(trouble)
        return model if trouble else twin


def random_play(env_id: str, seed: int) -> tuple[Rows, Mask]:
    """Every position of some random games: observations float32 [R, obs_size], legal moves bool [R, A]."""
    generator = np.random.default_rng(seed)
    positions = Positions(env_id, GAMES)
    observations, legal = [], []
    while len(under_way := np.flatnonzero(positions.winner == OPEN)):
        positions = positions.of(positions.states[under_way])
        mask = positions.legal()
        observations.append(positions.observation())
        legal.append(mask)
        positions.play(np.arange(len(mask)), (mask * generator.random(mask.shape)).argmax(axis=1))
    return np.concatenate(observations), np.concatenate(legal)


def distance(answers: tuple[Rows, Rows], others: tuple[Rows, Rows]) -> float:
    """How far priors [R, A] and values [R] are apart on average: total variation or difference, whichever is more."""
    (prior, value), (other_prior, other_value) = answers, others
    return float(max(np.abs(value - other_value).mean(), np.abs(prior - other_prior).sum(axis=1).mean() / 2))


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
