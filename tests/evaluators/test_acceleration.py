"""Acceleration of models: used where they answer as their model does, and only there."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from small_models import linear_model

from trainer.core.files import write_bytes
from trainer.evaluators.acceleration import COMPARED, Acceleration, random_play
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.games import game_of

GAME = game_of("tictactoe")


def linear(weight: float, value: float = 0.0) -> bytes:
    """A model that likes action 8 where the first player has cell 0."""
    weights = np.zeros((GAME.obs_size, GAME.num_actions), np.float32)
    weights[0, 8] = weight
    return linear_model(weights, value=value)


def load(content: bytes) -> OnnxEvaluator:
    """The model in some bytes."""
    return OnnxEvaluator(content, "some.onnx", GAME.env_id)


class Maker:
    """Makes twins that answer as the file `of` does; without one it fails."""

    manner = "by magic"
    tolerance = 0.01

    def __init__(self, of: bytes | None) -> None:
        self.of = of

    def __call__(self, content: bytes, model: OnnxEvaluator) -> OnnxEvaluator | None:
        """The twin, or an error."""
        if self.of is None:
            raise RuntimeError("no wand\nsecond line")
        return load(self.of) if self.of else None

    def accepted(self, evaluator: Evaluator, original: OnnxEvaluator) -> Evaluator:
        """The twin."""
        return evaluator


def test_the_first_twin_that_answers_alike_is_used() -> None:
    """One that answers otherwise, one there is none of, and two that are well."""
    content = linear(1.0)
    model = load(content)
    one = Acceleration(GAME.env_id, Maker(linear(5.0)), Maker(b""), Maker(content), Maker(None))(content, model)
    assert one is not model
    observation, legal = random_play(GAME.env_id, 0)
    np.testing.assert_array_equal(one(observation, legal)[0], model(observation, legal)[0])


def test_a_twin_that_answers_otherwise_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    """The model itself plays; that is said once, and again when it comes back after a model that was well."""
    content = linear(1.0)
    maker = Maker(linear(5.0))
    twins = Acceleration(GAME.env_id, maker)
    message = "some.onnx gives other answers by magic, by 0."
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            model = load(content)
            assert twins(content, model) is model
            assert caplog.text.count(message) == 1
        maker.of = content
        assert twins(content, load(content)) is not model
        maker.of = linear(5.0)
        twins(content, load(content))
    assert caplog.text.count(message) == 2
    assert "; evaluating it otherwise, which is slower" in caplog.text


def test_a_twin_that_can_not_be_made_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the library makes of it; nothing is said where there is just no twin."""
    content = linear(1.0)
    model = load(content)
    with caplog.at_level(logging.WARNING):
        assert Acceleration(GAME.env_id, Maker(b""))(content, model) is model
        assert caplog.text == ""
        assert Acceleration(GAME.env_id, Maker(None))(content, model) is model
    assert "some.onnx can't be evaluated by magic (no wand); evaluating" in caplog.text


def test_a_model_that_fails_is_not_taken_for_one_that_has_no_twin(tmp_path: Path) -> None:
    """Its value is the first number of the observation times 3: the actor keeps the model before it."""
    path = tmp_path / "latest.onnx"
    path.write_bytes(linear(1.0))
    twins = Acceleration(GAME.env_id, Maker(linear(1.0)))
    file = ModelFile(path, ModelLoader(GAME.env_id, twins), every=0)
    before = file.current
    write_bytes(path, linear(1.0, value=3.0))
    assert not file.poll()
    assert file.current is before
    assert "answers a value of 3; it must be from -1 to 1" in str(file.problem)


def test_the_positions_looked_at_are_those_of_whole_games_and_always_the_same() -> None:
    """From the empty board to nearly full ones; another seed gives others."""
    game = game_of("connect4")
    observation, legal = random_play(game.env_id, 0)
    again, _ = random_play(game.env_id, 0)
    np.testing.assert_array_equal(observation, again)
    stones = observation[:, : 2 * game.num_cells].sum(axis=1)
    assert stones.min() == 0
    assert stones.max() > game.num_cells // 2
    assert legal.any(axis=1).all()
    other, _ = random_play(game.env_id, 1)
    assert not np.array_equal(observation[: len(other)], other[: len(observation)])


def test_no_more_positions_are_compared_than_one_batch() -> None:
    """However long games are; a game that would never end is played up to its limit."""
    for env_id in ("connect4", "go:size=5"):
        observation, legal = random_play(env_id, 0)
        assert len(observation) == len(legal) == COMPARED
    assert len(random_play("tictactoe", 0)[0]) < COMPARED
