"""Models in 8-bit integers: near the ones they are made of, row by row, or not used at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from small_models import linear_model

from trainer.actor.quantize import NARROWEST, Quantizer, quantize, sums_overflow
from trainer.evaluators.acceleration import Twins, random_play
from trainer.evaluators.onnx_file import OnnxModel
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.games.base import Game
from trainer.network import PolicyValueNet
from trainer.training.export import Exporter

GAME = game_of("connect4")


def load(content: bytes, game: Game = GAME) -> OnnxModel:
    """The model in some bytes, as one of a game."""
    return OnnxModel(content, "some.onnx", game.env_id, game.obs_size, game.num_actions)


def published(game: Game = GAME) -> bytes:
    """A random network as the trainer writes it, a fifth of its run done."""
    torch.manual_seed(3)
    metadata = metadata_of(game)
    net = PolicyValueNet(metadata, "conv", 80)
    return Exporter(net, metadata).to_bytes(7, np.zeros((1, game.obs_size), np.float32), progress=0.2)


def initializers(content: bytes) -> dict[str, NDArray[np.generic]]:
    """The weights of a model file by name."""
    graph = onnx.load_model_from_string(content).graph
    return {weights.name: numpy_helper.to_array(weights) for weights in graph.initializer}


def lopsided() -> bytes:
    """A model whose hidden layer has one giant among its inputs, which no weight reads: in 8 bits it drowns the others."""
    generator = np.random.default_rng(0)
    scale = np.ones(GAME.obs_size, np.float32)
    scale[-2] = 1e6  # the first player is to move
    hidden = generator.standard_normal((GAME.obs_size, 64)).astype(np.float32)
    hidden[-2] = 0
    weights = {
        "scale": scale,
        "hidden": hidden,
        "policy": generator.standard_normal((64, GAME.num_actions)).astype(np.float32),
        "result": generator.standard_normal((64, 1)).astype(np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["observation", "scale"], ["scaled"]),
            helper.make_node("MatMul", ["scaled", "hidden"], ["features"]),
            helper.make_node("MatMul", ["features", "policy"], ["policy_logits"]),
            helper.make_node("MatMul", ["features", "result"], ["before"]),
            helper.make_node("Tanh", ["before"], ["value"]),
        ],
        "lopsided",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["batch", GAME.obs_size])],
        [
            helper.make_tensor_value_info("policy_logits", TensorProto.FLOAT, ["batch", GAME.num_actions]),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, ["batch", 1]),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


@pytest.mark.parametrize("env_id", ["connect4", "othello"])
def test_a_twin_answers_nearly_the_same_with_8_bit_weights(env_id: str) -> None:
    """The wide layers' weights are 8-bit integers, the heads' are not, not even Othello's 65 moves."""
    game = game_of(env_id)
    content = published(game)
    observation, legal = random_play(env_id, 0)
    stored = initializers(quantize(content, observation, max(NARROWEST, game.num_actions + 1)))
    assert {str(array.dtype) for array in stored.values() if array.ndim == 2 and min(array.shape) >= 80} == {"int8"}
    heads = [array for name, array in stored.items() if name.startswith(("policy.", "value."))]
    assert {str(array.dtype) for array in heads} == {"float32"}
    model = load(content, game)
    twin = Quantizer(env_id)(content, model)
    assert twin is not None
    (prior, value), (other_prior, other_value) = model(observation, legal), twin(observation, legal)
    assert 0 < np.abs(value - other_value).max() < 0.02
    assert 0 < np.abs(prior - other_prior).max() < 0.02


def test_a_row_is_answered_alike_in_any_company() -> None:
    """So the games of a seed don't depend on how many are played side by side."""
    content = published()
    twin = Quantizer(GAME.env_id)(content, load(content))
    assert twin is not None
    observation, legal = random_play(GAME.env_id, 0)
    prior, value = twin(observation, legal)
    for begin, end in ((0, 1), (3, 10), (100, 228)):
        part = twin(observation[begin:end], legal[begin:end])
        np.testing.assert_array_equal(part[0], prior[begin:end])
        np.testing.assert_array_equal(part[1], value[begin:end])


def test_a_twin_knows_what_its_model_knows() -> None:
    """The step, by which statistics name it, and how far the run is, by which searches grow."""
    content = published()
    twin = Quantizer(GAME.env_id)(content, load(content))
    assert twin is not None
    assert (twin.step, twin.progress) == (7, 0.2)


def test_a_model_without_wide_products_has_no_twin() -> None:
    """93 by 7 is a head."""
    content = linear_model(np.ones((GAME.obs_size, GAME.num_actions), np.float32))
    assert Quantizer(GAME.env_id)(content, load(content)) is None


def test_a_model_with_a_giant_among_its_inputs_is_not_played_in_8_bits() -> None:
    """Its twin answers otherwise."""
    content = lopsided()
    model = load(content)
    assert Twins(GAME.env_id, Quantizer(GAME.env_id))(content, model) is model


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "fma avx2", True),
        ("x86_64", "avx2 avx512_vnni", False),
        ("x86_64", "avx_vnni", False),
        ("arm64", "", False),
    ],
)
def test_weights_have_7_bits_where_sums_would_overflow(
    monkeypatch: pytest.MonkeyPatch, machine: str, flags: str, expected: bool
) -> None:
    """On x86 without VNNI."""
    monkeypatch.setattr("trainer.actor.quantize.platform.machine", lambda: machine)
    monkeypatch.setattr(Path, "read_text", lambda _: f"flags : {flags}")
    assert sums_overflow() is expected
