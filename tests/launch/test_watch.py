"""The display of a run and its evaluations."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from run_files import put_stats
from waiting import wait_until

from trainer.launch import watch as watching
from trainer.launch.watch import Watch
from trainer.run.folder import RunFolder


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The watch of a run whose trainer has just published a model."""
    monkeypatch.setattr(Watch, "_read", lambda *_: {"last_checkpoint": "model"})
    watch = Watch("tictactoe", RunFolder(tmp_path), seed=0)
    RunFolder(tmp_path).stats.write_text("{}")
    return watch


def test_statistics_of_an_earlier_run_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is its model evaluated. Once the trainer has written, the file is this run's."""
    evaluated: list[str] = []
    monkeypatch.setattr(Watch, "evaluate", lambda _, newest: evaluated.append(newest))
    put_stats(tmp_path, "tictactoe", 50, last_checkpoint="model", bad_rows=0)
    watch = Watch("tictactoe", RunFolder(tmp_path), seed=0, resumed=True)
    watch.look()
    assert watch._stats == {}
    assert watch._evaluating is None
    written = RunFolder(tmp_path).stats.stat().st_mtime
    os.utime(RunFolder(tmp_path).stats, (written + 1, written + 1))
    watch.look()
    assert watch._stats["step"] == 50
    wait_until(lambda: evaluated == ["model"], "it isn't evaluated")


def test_the_display_goes_on_while_a_model_is_evaluated(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first evaluation of a game may take minutes."""
    began, may_end, evaluated = Event(), Event(), []

    def slow(self: Watch, newest: str) -> None:
        began.set()
        assert may_end.wait(60)
        self._evaluated = newest
        evaluated.append(newest)

    monkeypatch.setattr(Watch, "evaluate", slow)
    for _ in range(3):  # the second and the third begin no further one
        watch.look()
        assert began.wait(60)
    assert evaluated == []
    may_end.set()
    wait_until(lambda: evaluated == ["model"], "the evaluation doesn't end")
    watch.look()
    assert evaluated == ["model"]


def test_the_last_model_is_evaluated_unless_the_run_was_interrupted(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever presses Ctrl-C doesn't want to wait for it."""
    evaluated: list[str] = []
    monkeypatch.setattr(Watch, "evaluate", lambda _, newest: evaluated.append(newest))
    monkeypatch.setattr(Watch, "_summary", lambda _: [])
    watch.finish(interrupted=True)
    assert evaluated == []
    watch.finish()
    assert evaluated == ["model"]


def test_a_mistake_in_an_evaluation_ends_the_run(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """It isn't swallowed by the thread."""

    def wrong(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(watching, "evaluate_step", wrong)
    watch.look()
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: bool(watch.look()), "no error")


def test_evaluations_take_a_twentieth_of_the_time_but_for_the_first(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one also compiles. Of seconds 0, 30, ... only those are listed at which an evaluation begins."""
    now, began = [0.0], []

    def ten_seconds(*_: Any, **__: Any) -> dict[str, Any]:
        began.append(now[0])
        now[0] += 10.0
        return {"step": len(began)}

    class Aside:
        """Runs at once what a thread would run."""

        def __init__(self, target: Any, args: tuple[str, ...], daemon: bool) -> None:
            self.start = lambda: target(*args)
            self.is_alive = lambda: False

    monkeypatch.setattr(watching, "evaluate_step", ten_seconds)
    monkeypatch.setattr(watching, "Thread", Aside)
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    for second in range(0, 500, 30):
        now[0] = max(now[0], float(second))
        monkeypatch.setattr(Watch, "_read", lambda *_, second=second: {"last_checkpoint": f"model {second}"})
        watch.look()
    assert began == [0.0, 30.0, 240.0, 450.0]
