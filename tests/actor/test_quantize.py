"""Models in 8-bit integers: near the ones they are made of, row by row, or not used at all."""

from __future__ import annotations

import logging

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from small_models import linear_model

from trainer.actor.quantize import Quantizer, quantize, random_play
from trainer.export import Exporter
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.inference import OnnxModel
from trainer.network import PolicyValueNet

GAME = game_of("connect4")


def load(content: bytes) -> OnnxModel:
    """The model in some bytes, as one of Connect 4."""
    return OnnxModel(content, "some.onnx", GAME.env_id, GAME.obs_size, GAME.num_actions)


def published() -> bytes:
    """A random network as the trainer writes it, a fifth of its run done."""
    torch.manual_seed(3)
    game = metadata_of(GAME)
    net = PolicyValueNet(game, "conv", 64)
    return Exporter(net, game).to_bytes(7, np.zeros((1, game.obs_size), np.float32), progress=0.2)


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


def test_a_twin_answers_nearly_the_same_with_8_bit_weights() -> None:
    """The wide layers' weights are 8-bit integers, the heads' are not; values and priors are a little off."""
    content = published()
    observation, legal = random_play(GAME.env_id)
    stored = initializers(quantize(content, observation))
    assert {str(array.dtype) for array in stored.values() if array.ndim == 2 and min(array.shape) >= 64} == {"int8"}
    assert {str(array.dtype) for name, array in stored.items() if name.startswith("policy.")} == {"float32"}
    model = load(content)
    twin = Quantizer(GAME.env_id)(content, model)
    (prior, value), (other_prior, other_value) = model(observation, legal), twin(observation, legal)
    assert 0 < np.abs(value - other_value).max() < 0.02
    assert 0 < np.abs(prior - other_prior).max() < 0.02


def test_a_row_is_answered_alike_in_any_company() -> None:
    """So the games of a seed don't depend on how many are played side by side."""
    content = published()
    twin = Quantizer(GAME.env_id)(content, load(content))
    observation, legal = random_play(GAME.env_id)
    prior, value = twin(observation, legal)
    for begin, end in ((0, 1), (3, 10), (100, 228)):
        part = twin(observation[begin:end], legal[begin:end])
        np.testing.assert_array_equal(part[0], prior[begin:end])
        np.testing.assert_array_equal(part[1], value[begin:end])


def test_a_twin_knows_what_its_model_knows() -> None:
    """The step, by which statistics name it, and how far the run is, by which searches grow."""
    content = published()
    twin = Quantizer(GAME.env_id)(content, load(content))
    assert (twin.step, twin.progress) == (7, 0.2)


def test_a_model_without_wide_products_stays_as_it_is() -> None:
    """93 by 7 is a head."""
    content = linear_model(np.ones((GAME.obs_size, GAME.num_actions), np.float32))
    observation, _ = random_play(GAME.env_id)
    assert quantize(content, observation) == content


def test_a_twin_that_answers_otherwise_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    """The model itself plays; that is said once, not for each model of a run."""
    content = lopsided()
    model, quantizer = load(content), Quantizer(GAME.env_id)
    with caplog.at_level(logging.WARNING):
        assert quantizer(content, model) is model
        assert quantizer(content, model) is model
    assert caplog.text.count("some.onnx answers otherwise in 8-bit integers, by") == 1
    assert "playing with it in float32, which is slower" in caplog.text


def test_a_model_that_can_not_be_quantized_is_used_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the library makes of it."""
    model = load(published())
    with caplog.at_level(logging.WARNING):
        assert Quantizer(GAME.env_id)(b"not a model", model) is model
    assert "some.onnx can't be turned into 8-bit integers (" in caplog.text


def test_the_positions_that_ranges_are_found_on_are_those_of_whole_games_and_always_the_same() -> None:
    """From the empty board to nearly full ones."""
    observation, legal = random_play(GAME.env_id)
    again, _ = random_play(GAME.env_id)
    np.testing.assert_array_equal(observation, again)
    stones = observation[:, : 2 * GAME.num_cells].sum(axis=1)
    assert stones.min() == 0
    assert stones.max() > GAME.num_cells // 2
    assert legal.any(axis=1).all()
