"""Models evaluated by their active inputs give the same answers as with ONNX Runtime."""

from __future__ import annotations

from itertools import count
from typing import get_args

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from random_models import model_file, random_network
from small_models import linear_model

from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.acceleration import random_play
from trainer.evaluators.interface import FunctionEvaluator
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.evaluators.sparse import SparseAccelerator, SparseEvaluator, network_of
from trainer.games import ENV_IDS, game_of
from trainer.games.base import Game
from trainer.network import Family
from trainer.settings.groups.network import Activation
from trainer.settings.groups.self_play import SelfPlaySettings

CONNECT4 = game_of("connect4")


def published(
    game: Game,
    family: Family = "mlp",
    width: int = 80,
    activation: Activation = "relu",
    units: int | None = None,
    lines: int = 0,
) -> bytes:
    """A random network as the trainer writes it, with biases that are not 0, after a fifth of its run."""
    network = random_network(game.env_id, family, width, activation=activation, units=units, lines=lines)
    return model_file(game.env_id, network)


def load(content: bytes, game: Game = CONNECT4) -> OnnxEvaluator:
    """A model evaluated by ONNX Runtime."""
    return OnnxEvaluator(content, "some.onnx", game.env_id)


def with_chances(content: bytes) -> bytes:
    """The model with another program's kind of value head: chances of win, draw and loss, here 1/2, 1/4, 1/4."""
    model = onnx.load_from_string(content)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    features = numpy_helper.to_array(weights["value.weight"]).shape[1]
    weights["value.weight"].CopyFrom(numpy_helper.from_array(np.zeros((3, features), np.float32), "value.weight"))
    weights["value.bias"].CopyFrom(numpy_helper.from_array(np.log([2, 1, 1]).astype(np.float32), "value.bias"))
    for n in range(4):
        graph.initializer.append(numpy_helper.from_array(np.array([n], np.int64), f"column_{n}"))
    tanh = graph.node.pop()
    graph.node.extend(
        [
            helper.make_node("Softmax", [tanh.input[0]], ["chances"], axis=1),
            helper.make_node("Slice", ["chances", "column_0", "column_1", "column_1"], ["win"]),
            helper.make_node("Slice", ["chances", "column_2", "column_3", "column_1"], ["loss"]),
            helper.make_node("Sub", ["win", "loss"], ["value"]),
        ]
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def sparse_of(content: bytes, game: Game = CONNECT4) -> SparseEvaluator:
    """A model evaluated by its active inputs."""
    sparse = SparseAccelerator(game.env_id)(content, load(content, game))
    assert isinstance(sparse, SparseEvaluator)
    return sparse


@pytest.mark.parametrize("env_id", [*ENV_IDS, "breakthrough:rows=6,columns=5"])
@pytest.mark.parametrize(("family", "lines"), [("mlp", 0), ("conv", 0), ("conv", 20)])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_the_outputs_are_those_of_onnx_runtime(env_id: str, family: Family, lines: int, activation: Activation) -> None:
    """In positions from whole games, for both players. Where few actions are legal, the logits of the others are 0."""
    game = game_of(env_id)
    content = published(game, family, activation=activation, lines=lines)
    observation, legal = random_play(env_id, 0)
    ours, our_values = sparse_of(content, game).outputs(observation)
    theirs, their_values = load(content, game).outputs(observation)
    if game.few_legal:
        theirs = theirs * legal
    for own, other in ((ours, theirs), (our_values, their_values)):
        assert own.dtype == other.dtype
        assert own.shape == other.shape
        assert np.abs(other).max() > 0.05
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-5 * max(1, np.abs(other).max()))


@pytest.mark.parametrize("width", [1, 63, 64, 65, 200])
def test_any_width_is_evaluated(width: int) -> None:
    """Less than a block of 64, one block, just above it, and several."""
    assert_alike(published(CONNECT4, "mlp", width))


@pytest.mark.parametrize(
    ("filters", "units", "lines"), [(20, 130, 0), (130, 20, 0), (64, 1, 0), (20, 70, 1), (20, 70, 130)]
)
def test_layers_may_have_any_sizes(filters: int, units: int, lines: int) -> None:
    """Each has regions of its own."""
    assert_alike(published(CONNECT4, "conv", filters, units=units, lines=lines))


def assert_alike(content: bytes) -> None:
    """Active inputs alone give the answers of ONNX Runtime."""
    observation, _ = random_play(CONNECT4.env_id, 0)
    ours, theirs = sparse_of(content).outputs(observation), load(content).outputs(observation)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=1e-5)


def test_inputs_need_not_be_0_or_1() -> None:
    """Except for the seat flags, which must be 0 or 1."""
    content = published(CONNECT4)
    observation, _ = random_play(CONNECT4.env_id, 0)
    observation[:, :-2] *= np.random.default_rng(0).normal(size=observation[:, :-2].shape).astype(np.float32)
    ours, theirs = sparse_of(content).outputs(observation), load(content).outputs(observation)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("family", "lines"), [("mlp", 0), ("conv", 0), ("conv", 20)])
def test_a_row_gets_the_same_answer_in_any_batch(family: Family, lines: int) -> None:
    """The answer to a row depends on that row alone, so games don't depend on how many are played side by side."""
    sparse = sparse_of(published(CONNECT4, family, lines=lines))
    observation, legal = random_play(CONNECT4.env_id, 0)
    prior, value = sparse(observation, legal)
    for begin, end in ((0, 1), (3, 10), (100, 228)):
        part = sparse(observation[begin:end], legal[begin:end])
        np.testing.assert_array_equal(part[0], prior[begin:end])
        np.testing.assert_array_equal(part[1], value[begin:end])


def test_memory_that_was_used_before_changes_nothing() -> None:
    """NaN observations leave NaN in memory; later evaluations only read what they have written themselves."""
    sparse = sparse_of(published(CONNECT4, "conv"))
    observation, _ = random_play(CONNECT4.env_id, 0)
    logits, value = sparse.outputs(observation)
    assert np.isnan(sparse.outputs(np.full_like(observation, np.nan))[0]).all()
    for rows in (len(observation), 100, 1):
        again, value_again = sparse.outputs(observation[:rows])
        np.testing.assert_array_equal(again, logits[:rows])
        np.testing.assert_array_equal(value_again, value[:rows])


def test_a_nan_in_a_layer_reaches_the_outputs() -> None:
    """NaN counts as active, and no ReLU hides it."""
    sparse = sparse_of(published(CONNECT4))
    sparse.layers.weights[: len(sparse.layers.weights) // 2] = np.nan
    logits, value = sparse.outputs(random_play(CONNECT4.env_id, 0)[0])
    assert np.isnan(logits).all()
    assert np.isnan(value).all()


def test_a_sparse_evaluator_has_the_step_and_progress_of_its_model() -> None:
    """Statistics name a model by its step; searches grow with the progress of its run."""
    sparse = sparse_of(published(CONNECT4))
    assert (sparse.step, sparse.progress) == (7, 0.2)


def test_the_kernels_are_linked_once_for_all_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linking takes a lock that another process may hold while it compiles."""
    sparse_of(published(CONNECT4))
    monkeypatch.setattr("trainer.evaluators.sparse.link", None)
    sparse_of(published(game_of("tictactoe")), game_of("tictactoe"))


def test_other_kinds_of_models_are_left_to_onnx_runtime() -> None:
    """The residual tower, and models from other programs."""
    foreign = linear_model(np.ones((CONNECT4.obs_size, CONNECT4.num_actions), np.float32))
    for content in (published(CONNECT4, "residual", 8), foreign, with_chances(published(CONNECT4))):
        assert network_of(content, CONNECT4) is None
        assert SparseAccelerator(CONNECT4.env_id)(content, load(content)) is None


@pytest.mark.parametrize("family", ["mlp", "conv"])
def test_a_model_with_chances_of_win_draw_and_loss_is_evaluated_by_onnx_runtime(family: Family) -> None:
    """Its value is P(win) - P(loss) = 1/2 - 1/4, and its policy is that of the same network with a scalar value head."""
    content = published(CONNECT4, family)
    observation, legal = random_play(CONNECT4.env_id, 0)
    prior, value = load(with_chances(content))(observation, legal)
    np.testing.assert_allclose(value, 0.25, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(prior, load(content)(observation, legal)[0])


@pytest.mark.parametrize("cache", [0, 512])
def test_games_are_the_same_whether_python_or_the_kernel_asks_the_network(cache: int) -> None:
    """Twenty games of one seed, in twenty slots or four, one evaluation per call or several."""
    sparse = sparse_of(published(CONNECT4))
    config = SelfPlaySettings(simulations=24, cache=cache)
    played = []
    for evaluator, slots in ((FunctionEvaluator(sparse), 20), (sparse, 20), (sparse, 4)):
        player = SelfPlay(CONNECT4.env_id, slots, iter(range(20)), 1, "a", config)
        games = {}
        while not player.idle:
            games |= {game.number: game for game in player.step(evaluator)}
        played.append(games)
    stepped, *others = played
    for games in others:
        assert games.keys() == stepped.keys() == set(range(20))
        for number, game in games.items():
            np.testing.assert_array_equal(game.plies[:-1], stepped[number].plies[:-1])


def test_an_unsound_answer_is_left_to_python() -> None:
    """If the kernel gets NaN, the leaves stay waiting: Python then asks the model again, which raises the error."""
    sparse = sparse_of(published(CONNECT4))
    layers = sparse.layers._replace(weights=np.full_like(sparse.layers.weights, np.nan))
    by_python, broken = FunctionEvaluator(sparse), FunctionEvaluator(sparse, layers=layers)
    player = SelfPlay(CONNECT4.env_id, 4, count(), 1, "a", SelfPlaySettings(simulations=24, cache=0))
    player.step(by_python)
    for _ in range(3):
        before = player.search.simulations_done
        player.step(broken)
        assert player.waiting == 4
        assert player.search.simulations_done == before + 4
    before = player.search.simulations_done
    player.step(sparse)
    assert player.search.simulations_done >= before + 40
