"""When the models of a run are evaluated while it learns."""

from __future__ import annotations

from pathlib import Path
from threading import Event, get_ident
from typing import Any

import pytest
from random_models import publish_model
from waiting import PATIENCE, wait_until

from trainer.core.errors import DeviceError
from trainer.evaluators.interface import Evaluator, FunctionEvaluator, Observations, Prior, Values
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.games.base import Mask
from trainer.launch import evaluations as module
from trainer.launch.evaluations import Evaluations
from trainer.run.folder import RunFolder


@pytest.fixture
def evaluations(tmp_path: Path) -> Evaluations:
    """Those of a run that has just begun."""
    return Evaluations(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0, resumed=False)


def evaluate_by(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """Let a function stand for the evaluation of a model; it returns the step."""
    monkeypatch.setattr(module, "evaluate_step", lambda *_, **__: {"step": function()})


def test_the_loop_goes_on_while_a_model_is_evaluated(evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first evaluation of a game may take minutes. No second one begins meanwhile, and `wait` waits for it."""
    began, may_end, threads = Event(), Event(), []

    def slow() -> int:
        threads.append(get_ident())
        began.set()
        assert may_end.wait(PATIENCE)
        return len(threads)

    evaluate_by(monkeypatch, slow)
    for name in ("first", "second", "third"):
        evaluations.begin_if_due(name)
        assert began.wait(PATIENCE)
    assert evaluations.busy
    assert evaluations.latest is None
    may_end.set()
    evaluations.wait()
    assert evaluations.latest == {"step": 1}
    evaluations.finish("third")
    assert [entry["step"] for entry in evaluations.log.read()] == [1, 2]
    assert len(set(threads)) == 1  # what a GPU keeps for a thread is used again
    assert threads[0] != get_ident()


def test_the_end_waits_and_evaluates_nothing_twice(evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor anything if there is no model, or if somebody waits for the end."""
    steps = iter(range(1, 9))
    evaluate_by(monkeypatch, lambda: next(steps))
    evaluations.finish("")
    evaluations.begin_if_due("")
    assert evaluations.latest is None
    evaluations.begin_if_due("model")
    evaluations.finish("model")
    evaluations.finish("")
    assert evaluations.latest == {"step": 1}


def test_a_model_that_was_published_meanwhile_is_not_evaluated_again(
    evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statistics still name step 1 when `latest.onnx` is the model of step 2."""
    evaluate_by(monkeypatch, lambda: 2)
    evaluations.finish("models/model_step_000001.onnx")
    evaluations.finish("models/model_step_000002.onnx")
    assert [entry["step"] for entry in evaluations.log.read()] == [2]


def test_a_mistake_in_an_evaluation_ends_the_run(evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch) -> None:
    """It isn't swallowed by the thread."""

    def wrong() -> int:
        raise ZeroDivisionError

    evaluate_by(monkeypatch, wrong)
    evaluations.begin_if_due("model")
    wait_until(lambda: not evaluations.busy, "it doesn't end")
    for ask in (evaluations.begin_if_due, evaluations.finish):
        with pytest.raises(ZeroDivisionError):
            ask("model")


def test_a_device_that_fails_leaves_the_evaluations_to_the_cpu(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That is said once, and no model is left out. The anchor was on the device, so it is loaded again."""
    failed = Event()

    def on_device(content: bytes, original: OnnxEvaluator) -> Evaluator:
        def evaluate(observation: Observations, legal: Mask) -> tuple[Prior, Values]:
            if failed.is_set():
                raise DeviceError("the GPU failed during a test (no reason)")
            return original(observation, legal)

        return FunctionEvaluator(evaluate, original.source, original.step)

    evaluations = Evaluations(RunFolder(tmp_path), ModelLoader("tictactoe", on_device), seed=0, resumed=False)
    for step in (1, 2, 3):
        publish_model(tmp_path, step=step)
        evaluations.finish(f"model {step}")
        failed.set()
    first, second, third = evaluations.log.read()
    assert [first["step"], second["step"], third["step"]] == [1, 2, 3]
    assert second["elo_against"] == 1
    assert caplog.messages == [
        "the GPU failed during a test (no reason); evaluating the run's models on the CPU from now on"
    ]


def test_they_take_a_twentieth_of_a_core_but_for_the_first(
    evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one also compiles. Of seconds 0, 30, ... only those are listed at which an evaluation begins. Each lasts 20
    seconds on a busy machine, and uses 10 of its core."""
    now, used, began = [0.0], [0.0], []

    def twenty_seconds() -> int:
        began.append(now[0])
        now[0] += 20.0
        used[0] += 10.0
        return len(began)

    evaluate_by(monkeypatch, twenty_seconds)
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "thread_time", lambda: used[0])
    for second in range(0, 500, 30):
        now[0] = max(now[0], float(second))
        evaluations.begin_if_due(f"model {second}")
        evaluations.wait()
    assert began == [0.0, 30.0, 240.0, 450.0]


def test_a_long_run_is_evaluated_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a week of a small game would have a hundred thousand of them, in the memory of three processes. The loop looks
    every second here, for the given second and the minute after it; evaluations take no time."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "thread_time", lambda: 0.0)
    evaluations = Evaluations(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0, resumed=False)
    evaluate_by(monkeypatch, lambda: 1)

    def begun_within_a_minute(second: int) -> int:
        before = len(evaluations.log.read())
        for later in range(60):
            now[0] = 1000.0 + second + later
            evaluations.begin_if_due(f"model {now[0]}")
            evaluations.wait()
        return len(evaluations.log.read()) - before

    assert [begun_within_a_minute(second) for second in (0, 3600, 20_000)] == [12, 12, 3]
