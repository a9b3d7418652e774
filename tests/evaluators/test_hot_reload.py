"""A model file that can't be read or used at the moment: what is tried again, and what is said of it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_models import linear_model

from trainer.core.errors import DeviceError, ModelError
from trainer.core.files import write_bytes
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.onnx_file import OnnxEvaluator


@pytest.fixture
def latest(tmp_path: Path) -> Path:
    """A model of step 100."""
    path = tmp_path / "latest.onnx"
    replace(path, 100)
    return path


def replace(path: Path, step: int) -> None:
    """Put a model of tic-tac-toe there."""
    write_bytes(path, linear_model(np.zeros((29, 9), np.float32), metadata={"step": str(step)}))


def watched(path: Path, acceleration: Callable[[bytes, OnnxEvaluator], Evaluator] | None = None) -> ModelFile:
    """The file, looked at by every poll."""
    return ModelFile(path, ModelLoader("tictactoe", acceleration), 0.0)


def step_of(file: ModelFile) -> int | None:
    """The step of the model in use; None if there is none."""
    return file.current.step if file.current else None


def test_a_file_that_can_not_be_read_is_tried_again(
    latest: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Too many files may be open at the moment. It is reported once, and used as soon as it can be read."""
    file = watched(latest)
    replace(latest, 200)

    def exhausted(path: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(Path, "read_bytes", exhausted)
        assert not file.poll()
        assert not file.poll()
    (message,) = caplog.messages
    assert message == f"{latest} can't be read as a model (Too many open files); keeping the model before it"
    assert message.startswith(str(file.problem))
    assert file.poll()
    assert (step_of(file), file.problem) == (200, None)


def test_a_file_that_is_gone_is_no_problem(latest: Path) -> None:
    """`problem` is about the present file. The model stays."""
    file = watched(latest)
    write_bytes(latest, b"broken")
    assert not file.poll()
    assert file.problem is not None
    latest.unlink()
    assert not file.poll()
    assert (step_of(file), file.problem) == (100, None)


def test_a_device_that_fails_is_a_problem_of_the_model(latest: Path) -> None:
    """The error ends an actor. A page lives on, and can say why the newest model doesn't play."""

    def failing(content: bytes, model: OnnxEvaluator) -> OnnxEvaluator:
        if model.step == 200:
            raise DeviceError("the GPU failed")
        return model

    file = watched(latest, failing)
    replace(latest, 200)
    with pytest.raises(DeviceError, match="the GPU failed"):
        file.poll()
    assert (step_of(file), file.problem) == (100, "the GPU failed")
    replace(latest, 300)
    assert file.poll()
    assert (step_of(file), file.problem) == (300, None)


def test_a_model_that_is_given_up_leaves_the_time_of_the_one_before(
    latest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no time if there was none."""
    now = 1_000.0
    monkeypatch.setattr("trainer.evaluators.hot_reload.time.time", lambda: now)
    file = watched(latest)
    now = 2_000.0
    replace(latest, 200)
    assert file.poll()
    assert (step_of(file), file.loaded_at) == (200, 2_000)
    for step, loaded_at in ((100, 1_000), (None, 0)):
        assert file.current is not None
        file.give_up(file.current, ModelError("NaN"))
        assert (step_of(file), file.loaded_at) == (step, loaded_at)
        assert file.problem == "NaN"
