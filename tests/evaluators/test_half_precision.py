"""Model files whose weights are stored in half precision."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from random_models import model_file, random_network

from tools.ship_model import halved
from trainer.evaluators.half_precision import parsed_model
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.evaluators.sparse import network_of
from trainer.export.stored import StoredNetwork
from trainer.games import game_of
from trainer.games.positions import Positions
from trainer.network import Family


def exact_file(env_id: str, family: Family) -> bytes:
    """A model whose weights are numbers of float16, so that nothing is lost."""
    network = random_network(env_id, family)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half())
    return model_file(env_id, network)


@pytest.mark.parametrize("family", ["mlp", "conv", "residual"])
def test_a_file_of_half_the_size_is_the_same_model(family: Family) -> None:
    """For ONNX Runtime, for the kernels, and for torch."""
    content, game = exact_file("connect4", family), game_of("connect4")
    half = halved(content)
    assert len(half) < 0.6 * len(content)
    positions = Positions("connect4", 3)
    positions.replay(1, [3, 3, 2])
    whole, small = (OnnxEvaluator(one, "model", "connect4").outputs(positions.observation()) for one in (content, half))
    for ours, theirs in zip(whole, small, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    layers, other = network_of(content, game), network_of(half, game)
    assert (layers is None) == (other is None) == (family == "residual")
    if layers and other:
        assert (layers.weights == other.weights).all()
        assert (layers.biases == other.biases).all()
    stored, other = StoredNetwork.read(content), StoredNetwork.read(half)
    assert (stored.settings, stored.metadata) == (other.settings, other.metadata)
    assert all(torch.equal(stored.weights[name], other.weights[name]) for name in stored.weights)


def test_other_files_are_left_as_they_are() -> None:
    """A model of our trainer has no weights in float16."""
    content = model_file("tictactoe", random_network("tictactoe"))
    assert parsed_model(content) == onnx.load_model_from_string(content)


def test_weights_that_are_too_large_are_refused() -> None:
    """Float16 ends at 65,504."""
    network = random_network("tictactoe")
    with torch.no_grad():
        network.value.weight[0, 0] = 1e5
    with pytest.raises(ValueError, match=r"value\.weight has weights that are too large for float16"):
        halved(model_file("tictactoe", network))
