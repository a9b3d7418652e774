"""Evaluators of positions: the uniform guess, ONNX models, and model files that are replaced under way."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from small_models import linear_model

from trainer.core.errors import ModelError
from trainer.core.files import write_bytes
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.model import answer_kernels
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.evaluators.uniform import uniform

OBS_SIZE, NUM_ACTIONS = 29, 9  # tic-tac-toe's


def model_of(*, action: int = 0, step: int | None = None) -> bytes:
    """A model of tic-tac-toe that gives logit x to one action and 0 to the others, x the observation's number 1."""
    weights = np.zeros((OBS_SIZE, NUM_ACTIONS), np.float32)
    weights[1, action] = 1
    return linear_model(weights, metadata={} if step is None else {"env_id": "tictactoe", "step": str(step)})


def load(content: bytes) -> OnnxEvaluator:
    """The model in some bytes, as one of tic-tac-toe."""
    return OnnxEvaluator(content, "some.onnx", "tictactoe")


def preferred(model: OnnxEvaluator | None) -> int:
    """The action that a model of `model_of` prefers."""
    assert model is not None
    prior, _ = model(np.ones((1, OBS_SIZE), np.float32), np.ones((1, NUM_ACTIONS), np.bool_))
    return int(prior.argmax())


def test_uniform_gives_every_legal_move_the_same_prior_and_value_zero() -> None:
    """Two legal moves: a half each. None: zeros, not a division by zero."""
    legal = np.array([[True, False, True], [False, True, False], [False, False, False]])
    prior, value = uniform(np.zeros((3, 29), np.float32), legal)
    assert prior.tolist() == [[0.5, 0, 0.5], [0, 1, 0], [0, 0, 0]]
    assert value.tolist() == [0, 0, 0]
    assert (prior.dtype, value.dtype) == (np.float32, np.float32)


def test_masked_softmax_is_the_softmax_over_legal_moves() -> None:
    """Logits ln 1, ln 3 and ln 4, and one that is not legal: 1/8, 3/8 and 4/8. Each row has its own mask."""
    logits = np.log(np.array([[1, 3, 100, 4], [1, 3, 100, 4], [7, 7, 7, 7]], np.float32))
    legal = np.array([[True, True, False, True], [False, True, False, False], [True, True, True, True]])
    prior = np.full((3, 4), np.nan, np.float32)
    answer_kernels().answers.masked_softmax(logits, legal, np.empty(logits.shape[1], np.int64), prior)
    np.testing.assert_allclose(prior, [[1 / 8, 3 / 8, 0, 4 / 8], [0, 1, 0, 0], [0.25] * 4], rtol=1e-6)


def test_masked_softmax_of_huge_logits_neither_overflows_nor_vanishes() -> None:
    """exp(1000) is infinite and exp(-1000) zero, but only differences count; an illegal giant doesn't."""
    logits = np.array([[1000, 1000, -1000], [-1000, -1000, 1000]], np.float32)
    legal = np.array([[True, True, True], [True, True, False]])
    prior = np.empty((2, 3), np.float32)
    answer_kernels().answers.masked_softmax(logits, legal, np.empty(logits.shape[1], np.int64), prior)
    assert prior.tolist() == [[0.5, 0.5, 0], [0.5, 0.5, 0]]


def test_masked_softmax_of_a_row_without_legal_moves_is_zero() -> None:
    """A finished position has no prior."""
    prior = np.full((1, 3), np.nan, np.float32)
    answer_kernels().answers.masked_softmax(
        np.ones((1, 3), np.float32), np.zeros((1, 3), np.bool_), np.empty(3, np.int64), prior
    )
    assert prior.tolist() == [[0, 0, 0]]


def test_a_model_answers_each_row_by_its_outputs_of_the_contract() -> None:
    """Action 2 has logit ln 3 in the first row: with three legal moves 3/5 and twice 1/5; the value is the mover's."""
    observation = np.zeros((2, OBS_SIZE), np.float32)
    observation[0, [0, 1]] = -0.75, np.log(3)
    observation[1, 0] = 0.5
    legal = np.zeros((2, NUM_ACTIONS), np.bool_)
    legal[0, [0, 2, 8]] = True
    legal[1, [2, 3]] = True
    prior, value = load(model_of(action=2))(observation, legal)
    expected = np.zeros((2, NUM_ACTIONS))
    expected[0, [0, 2, 8]] = 0.2, 0.6, 0.2
    expected[1, [2, 3]] = 0.5, 0.5
    np.testing.assert_allclose(prior, expected, rtol=1e-6)
    assert value.tolist() == [-0.75, 0.5]


def test_a_value_beyond_a_win_is_refused() -> None:
    """The model's value is the first number of the observation, so that 3 comes out; the trainer would refuse the rows."""
    observation = np.zeros((2, OBS_SIZE), np.float32)
    observation[1, 0] = -3
    with pytest.raises(ModelError, match=r"some.onnx answers a value of -3; it must be from -1 to 1"):
        load(model_of())(observation, np.ones((2, NUM_ACTIONS), np.bool_))


def test_a_model_says_its_step_where_its_metadata_has_one() -> None:
    """Models from elsewhere have no metadata and are accepted where their shapes fit."""
    assert load(model_of(step=1200)).step == 1200
    assert load(model_of()).step is None
    for step in ("soon", "-7", "²", "9" * 5000):
        assert load(linear_model(np.zeros((OBS_SIZE, NUM_ACTIONS)), metadata={"step": step})).step is None, step


def test_models_with_an_extra_output_are_accepted() -> None:
    """Outputs are read by name, whatever comes before them."""
    weights = np.zeros((OBS_SIZE, NUM_ACTIONS), np.float32)
    weights[1, 4] = 1
    assert preferred(load(linear_model(weights, further_output="ownership"))) == 4


UNFIT = {
    "an observation of another size": (
        linear_model(np.zeros((93, 9))),
        ["some.onnx", "observation", "93", "tictactoe", "29"],
    ),
    "another number of actions": (
        linear_model(np.zeros((29, 7))),
        ["some.onnx", "policy_logits", "7", "tictactoe", "9"],
    ),
    "a value of three numbers": (linear_model(np.zeros((29, 9)), value_width=3), ["some.onnx", "value", "3", "1"]),
    "no observation": (linear_model(np.zeros((29, 9)), input_name="board"), ["some.onnx", "'observation'", "board"]),
    "no policy": (linear_model(np.zeros((29, 9)), policy_name="policy"), ["some.onnx", "'policy_logits'", "policy"]),
    "no value": (linear_model(np.zeros((29, 9)), value_name="score"), ["some.onnx", "'value'", "score"]),
    "a batch of one only": (linear_model(np.zeros((29, 9)), batch=1), ["some.onnx", "batch"]),
    "numbers of another type": (linear_model(np.zeros((29, 9)), dtype=TensorProto.DOUBLE), ["some.onnx", "float"]),
    "a number of actions that it does not state": (
        linear_model(np.zeros((29, 7)), stated_actions="actions"),
        ["some.onnx", "policy_logits", "7", "tictactoe", "9"],
    ),
    "another game of the same size": (
        linear_model(np.zeros((29, 9)), metadata={"env_id": "misere"}),
        ["some.onnx", "misere", "tictactoe"],
    ),
    "no model": (b"this is not a model", ["some.onnx", "not an ONNX model"]),
    "nothing": (b"", ["some.onnx", "not an ONNX model"]),
    "half a model": (model_of()[:200], ["some.onnx", "not an ONNX model"]),
}


@pytest.mark.parametrize(("content", "words"), UNFIT.values(), ids=UNFIT)
def test_a_model_that_does_not_fit_is_refused_with_the_reason(content: bytes, words: list[str]) -> None:
    """The message names the file, what was found and what was expected, in one line."""
    with pytest.raises(ModelError) as error:
        load(content)
    message = str(error.value)
    assert all(word in message for word in words), message
    assert "\n" not in message


# --- Files that are replaced ---


def model_file(path: Path, every: float = 0.0) -> ModelFile:
    """A watched model of tic-tac-toe, looked at by every poll."""
    return ModelFile(path, ModelLoader("tictactoe"), every)


def test_a_model_file_is_used_as_soon_as_it_appears_and_when_it_is_replaced(tmp_path: Path) -> None:
    """`poll` says when the model changed, and only then."""
    path = tmp_path / "latest.onnx"
    file = model_file(path)
    assert file.current is None
    assert not file.poll()
    write_bytes(path, model_of(action=3, step=100))
    assert file.poll()
    assert preferred(file.current) == 3
    assert not file.poll()
    write_bytes(path, model_of(action=5, step=200))
    assert file.poll()
    assert preferred(file.current) == 5
    assert file.current is not None
    assert file.current.step == 200


def test_a_model_file_that_is_there_is_loaded_at_once(tmp_path: Path) -> None:
    """Without a call of `poll`."""
    write_bytes(tmp_path / "latest.onnx", model_of(action=3))
    assert preferred(model_file(tmp_path / "latest.onnx").current) == 3


def test_a_file_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    """A replaced file is another file, also where the clock of the disk is coarse."""
    path = tmp_path / "latest.onnx"
    write_bytes(path, model_of(action=3))
    os.utime(path, (1, 1))
    file = model_file(path)
    write_bytes(path, model_of(action=5))
    os.utime(path, (1, 1))
    assert file.poll()
    assert preferred(file.current) == 5


def test_the_last_good_model_stays_while_the_file_is_broken_or_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The trouble is reported once, with the reason; the next good file is used again."""
    path = tmp_path / "latest.onnx"
    write_bytes(path, model_of(action=3))
    file = model_file(path)
    write_bytes(path, b"broken")
    with caplog.at_level(logging.WARNING):
        assert not file.poll()
        assert not file.poll()
    (record,) = caplog.records
    assert "not an ONNX model" in record.getMessage()
    assert "keeping the model before it" in record.getMessage()
    assert preferred(file.current) == 3
    path.unlink()
    assert not file.poll()
    assert preferred(file.current) == 3
    write_bytes(path, model_of(action=5))
    assert file.poll()
    assert preferred(file.current) == 5


def test_a_model_for_another_game_does_not_replace_the_last_good_one(tmp_path: Path) -> None:
    """It is treated like a broken one."""
    path = tmp_path / "latest.onnx"
    write_bytes(path, model_of(action=3))
    file = model_file(path)
    write_bytes(path, linear_model(np.zeros((93, 7), np.float32)))
    assert not file.poll()
    assert preferred(file.current) == 3


def test_polls_look_no_more_often_than_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `every` = 10 seconds the second look comes after ten seconds."""
    now = 1000.0
    monkeypatch.setattr("trainer.evaluators.hot_reload.time.monotonic", lambda: now)
    path = tmp_path / "latest.onnx"
    file = model_file(path, every=10)
    write_bytes(path, model_of())
    now = 1009.9
    assert not file.poll()
    now = 1010.0
    assert file.poll()


def test_weights_in_another_file_are_named_with_the_remedy(tmp_path: Path) -> None:
    """As torch's exporter writes large models; the remedy in the message makes a model that loads."""
    path, merged = tmp_path / "model.onnx", tmp_path / "merged.onnx"
    whole = onnx.load_model_from_string(linear_model(np.eye(OBS_SIZE, NUM_ACTIONS, dtype=np.float32)))
    onnx.save(whole, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(
        ModelError, match=r"model\.onnx keeps its weights in another file, but a model is one file"
    ) as caught:
        ModelLoader("tictactoe").load(path)
    command = str(caught.value).partition("merge them with: ")[2]
    command = command.replace("MODEL", str(path)).replace("MERGED", str(merged)).replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, check=True)
    assert ModelLoader("tictactoe").load(merged).step is None
