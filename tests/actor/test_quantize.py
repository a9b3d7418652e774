"""Models in 8-bit integers: near the ones they are made of, row by row, or not used at all."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from small_models import linear_model

from trainer.actor.quantize import NARROWEST, Quantizer, quantize, random_play, sums_overflow
from trainer.export import Exporter
from trainer.files import write_bytes
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.games.base import Game
from trainer.inference import ModelFile, OnnxModel
from trainer.network import PolicyValueNet

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
    (prior, value), (other_prior, other_value) = model(observation, legal), twin(observation, legal)
    assert 0 < np.abs(value - other_value).max() < 0.02
    assert 0 < np.abs(prior - other_prior).max() < 0.02


def test_a_row_is_answered_alike_in_any_company() -> None:
    """So the games of a seed don't depend on how many are played side by side."""
    content = published()
    twin = Quantizer(GAME.env_id)(content, load(content))
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
    assert (twin.step, twin.progress) == (7, 0.2)


def test_a_model_without_wide_products_stays_as_it_is() -> None:
    """93 by 7 is a head."""
    content = linear_model(np.ones((GAME.obs_size, GAME.num_actions), np.float32))
    model = load(content)
    assert Quantizer(GAME.env_id)(content, model) is model


def test_a_twin_that_answers_otherwise_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    """The model itself plays; that is said once, and again when it comes back after a model that was well."""
    bad, good = lopsided(), published()
    quantizer = Quantizer(GAME.env_id)
    message = "some.onnx answers otherwise in 8-bit integers, by"
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            model = load(bad)
            assert quantizer(bad, model) is model
            assert caplog.text.count(message) == 1
        model = load(good)
        assert quantizer(good, model) is not model
        quantizer(bad, load(bad))
    assert caplog.text.count(message) == 2
    assert "playing with it in float32, which is slower" in caplog.text


def test_a_model_that_can_not_be_quantized_is_used_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the library makes of it."""
    model = load(published())
    with caplog.at_level(logging.WARNING):
        assert Quantizer(GAME.env_id)(b"not a model", model) is model
    assert "some.onnx can't be turned into 8-bit integers (" in caplog.text


def test_a_model_that_fails_is_not_taken_for_one_that_can_not_be_quantized(tmp_path: Path) -> None:
    """Its value is the first number of the observation times 3: the actor keeps the model before it, as without --int8."""
    failing = linear_model(np.zeros((GAME.obs_size, GAME.num_actions), np.float32), value=3.0)
    path = tmp_path / "latest.onnx"
    path.write_bytes(published())
    file = ModelFile(path, GAME.env_id, GAME.obs_size, GAME.num_actions, every=0, prepare=Quantizer(GAME.env_id))
    before = file.current
    write_bytes(path, failing)
    assert not file.poll()
    assert file.current is before
    assert "answers a value of 3; it must be from -1 to 1" in str(file.problem)


def test_the_positions_that_ranges_are_found_on_are_those_of_whole_games_and_always_the_same() -> None:
    """From the empty board to nearly full ones; another seed gives others."""
    observation, legal = random_play(GAME.env_id, 0)
    again, _ = random_play(GAME.env_id, 0)
    np.testing.assert_array_equal(observation, again)
    stones = observation[:, : 2 * GAME.num_cells].sum(axis=1)
    assert stones.min() == 0
    assert stones.max() > GAME.num_cells // 2
    assert legal.any(axis=1).all()
    other, _ = random_play(GAME.env_id, 1)
    assert not np.array_equal(observation[: len(other)], other[: len(observation)])


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
