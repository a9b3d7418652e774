"""Models in 8-bit integers, for self-play only: half the time of an evaluation, and nearly the same answers.

The wide matrix products of a model are done with weights and inputs as 8-bit integers (Jacob et al. 2017); the ranges of
the inputs are found once, on positions of random games, so that a row's answer depends on that row alone. The file that
was published stays as it is: whoever measures or plays a model has its float32.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from trainer.games import game_of
from trainer.games.base import OPEN, Mask
from trainer.games.positions import Positions
from trainer.inference import OnnxModel

log = logging.getLogger(__name__)

GAMES = 32
"""Random games whose positions the ranges are found on."""
BATCH = 128
"""Positions evaluated at once for that."""
NARROWEST = 64
"""Matrix products with fewer results a row, those of the heads, stay float32: they cost little and decide."""
FARTHEST = 0.1
"""Mean difference of the values, or of the priors' total variation, at which a quantized model is not used."""
PREPROCESSED = ("onnx.quant.pre_process", "onnxruntime.quant")
"""Mark of a model that ONNX Runtime would not ask to prepare first; ours have nothing to fold."""


class Quantizer:
    """Makes the quantized twin of each model of one game."""

    def __init__(self, env_id: str) -> None:
        self._game = game_of(env_id)
        self._observations, self._legal = random_play(env_id)
        self._warned = False

    def __call__(self, content: bytes, model: OnnxModel) -> OnnxModel:
        """The twin of `model`, whose file is `content`; `model` itself where that can't be made or is too far off."""
        try:
            small = quantize(content, self._observations)
            game = self._game
            twin = OnnxModel(small, model.source, game.env_id, game.obs_size, game.num_actions)
            apart = self._distance(model, twin)
        except Exception as error:  # the library raises whatever its parts do
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            if self._is_first_trouble():
                log.warning(
                    "%s can't be turned into 8-bit integers (%s); playing with it in float32, which is slower",
                    *(model.source, reason),
                )
            return model
        if apart > FARTHEST:
            if self._is_first_trouble():
                log.warning(
                    "%s answers otherwise in 8-bit integers, by %.2f; playing with it in float32, which is slower",
                    *(model.source, apart),
                )
            return model
        return twin

    def _distance(self, model: OnnxModel, twin: OnnxModel) -> float:
        """How far the answers are apart on average: the values, or the priors' total variation if that is more."""
        prior, value = model(self._observations, self._legal)
        other_prior, other_value = twin(self._observations, self._legal)
        return float(max(np.abs(value - other_value).mean(), np.abs(prior - other_prior).sum(axis=1).mean() / 2))

    def _is_first_trouble(self) -> bool:
        """Whether nothing was reported yet: it is said once, for the models of a run are alike."""
        first, self._warned = not self._warned, True
        return first


def random_play(env_id: str) -> tuple[NDArray[np.float32], Mask]:
    """Every position of some random games: observations float32 [R, obs_size], legal moves bool [R, A]; always the same."""
    generator = np.random.default_rng(0)
    positions = Positions(env_id, GAMES)
    observations, legal = [], []
    while len(under_way := np.flatnonzero(positions.winner == OPEN)):
        positions = positions.of(positions.states[under_way])
        mask = positions.legal()
        observations.append(positions.observation())
        legal.append(mask)
        positions.play(np.arange(len(mask)), (mask * generator.random(mask.shape)).argmax(axis=1))
    return np.concatenate(observations), np.concatenate(legal)


def quantize(content: bytes, observations: NDArray[np.float32]) -> bytes:
    """The model file with its wide matrix products in 8-bit integers, their ranges those of `observations`.

    Raises whatever ONNX Runtime does where a model is beyond it.
    """
    # Imported here, for it takes a fifth of a second that only self-play with --int8 needs.
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Once(CalibrationDataReader):  # type: ignore[misc]
        """All observations once, in batches."""

        def __init__(self) -> None:
            parts = np.split(observations, range(BATCH, len(observations), BATCH))
            self._rows: Iterator[dict[str, Any]] = iter([{"observation": part} for part in parts])

        def get_next(self) -> dict[str, Any] | None:
            return next(self._rows, None)

    model = onnx.load_model_from_string(content)
    widths = {weights.name: weights.dims for weights in model.graph.initializer}
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    wide = [
        node.name
        for node in model.graph.node
        if node.op_type in ("Gemm", "MatMul") and min(widths.get(node.input[1], (0,))) >= NARROWEST
    ]
    if not wide:
        return content
    model.metadata_props.add(key=PREPROCESSED[0], value=PREPROCESSED[1])
    with tempfile.TemporaryDirectory(prefix="trainer-") as folder:
        source, target = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        onnx.save_model(model, source)
        quantize_static(
            *(source, target, Once()),
            op_types_to_quantize=["Gemm", "MatMul"],
            nodes_to_quantize=wide,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()
