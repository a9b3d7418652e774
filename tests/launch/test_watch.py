"""The display of a run."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from run_files import put_stats

from trainer.evaluators.loader import ModelLoader
from trainer.launch.evaluations import Evaluations
from trainer.launch.watch import Watch
from trainer.run.folder import RunFolder


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models whose evaluation is begun; they aren't evaluated."""
    names: list[str] = []
    monkeypatch.setattr(Evaluations, "begin_if_due", lambda _, newest: names.append(newest))
    monkeypatch.setattr(Evaluations, "finish", lambda _, newest: names.append(newest))
    return names


def test_statistics_of_an_earlier_run_are_not_shown(
    tmp_path: Path, evaluated: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is its model evaluated, except in the end: a run that is resumed may be over. Once the trainer has written, the
    file is this run's."""
    put_stats(tmp_path, "tictactoe", 50, last_checkpoint="model", bad_rows=0)
    watch = Watch(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0, resumed=True)
    watch.look()
    assert ("training", "starting (a new game is compiled first, for up to a minute)") in watch._summary(watch._stats())
    watch.finish()
    assert evaluated == ["", ""]
    assert "step 50" in capsys.readouterr().out
    written = RunFolder(tmp_path).stats.stat().st_mtime
    os.utime(RunFolder(tmp_path).stats, (written + 1, written + 1))
    watch.look()
    watch.finish()
    assert evaluated == ["", "", "model", "model"]
    assert "step 50" in capsys.readouterr().out


def test_the_last_model_is_evaluated_unless_the_run_was_interrupted(tmp_path: Path, evaluated: list[str]) -> None:
    """Whoever presses Ctrl-C doesn't want to wait for it."""
    watch = Watch(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0)
    put_stats(tmp_path, "tictactoe", 50, last_checkpoint="model", bad_rows=0)
    watch.finish(interrupted=True)
    watch.finish()
    assert evaluated == ["", "model"]


@pytest.mark.parametrize("environment", [{"FORCE_COLOR": "1"}, {"TERM": "dumb"}])
def test_what_is_no_terminal_gets_plain_lines(
    tmp_path: Path,
    evaluated: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    environment: dict[str, str],
) -> None:
    """Whatever the environment says of colours: a file, and a terminal that can't be drawn on."""
    caplog.set_level("INFO")
    monkeypatch.setattr("trainer.launch.watch.LINE_EVERY", 0.0)
    output = StringIO()
    watch = Watch(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0)
    with watch.shown(Console(file=output, force_terminal=True, _environ=environment)):
        watch.look()
    assert output.getvalue() == ""
    assert "training starting" in caplog.text


@pytest.mark.parametrize("damaged", ["{", "[]", '{"step": "many"}'])
def test_damaged_statistics_are_as_good_as_none(tmp_path: Path, evaluated: list[str], damaged: str) -> None:
    """Another program may write them."""
    watch = Watch(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0)
    RunFolder(tmp_path).stats.write_text(damaged)
    watch.look()
    assert evaluated == [""]
