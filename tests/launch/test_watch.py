"""The display of a run."""

from __future__ import annotations

import errno
import os
import time
from io import StringIO
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console
from run_files import put_stats

from trainer.evaluators.loader import ModelLoader
from trainer.launch.evaluations import Evaluations
from trainer.launch.watch import Watch
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import SILENCE, write_actor
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


def test_files_that_cannot_be_read_for_a_moment_are_as_good_as_none(
    tmp_path: Path, evaluated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever started the loop doesn't want to lose it for that."""
    put_stats(tmp_path, "tictactoe", 50, last_checkpoint="model", bad_rows=0)
    write_actor(tmp_path / "actor_stats.json", "actor-1", ActorStats("tictactoe", 5))
    watch = Watch(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0)
    os.utime(RunFolder(tmp_path).stats, (1, 1))
    assert watch.learned

    def fail(*given: object, **named: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    for method in ("read_bytes", "stat"):
        with monkeypatch.context() as patched:
            patched.setattr(Path, method, fail)
            watch.look()
    watch.look()
    assert evaluated == ["", "", "model"]


def test_a_speed_is_that_of_the_actors_that_still_play(
    tmp_path: Path, evaluated: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their last numbers stay in the file if they can't store their games. The summary of a run that is over has these."""
    watch, now = Watch(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0), time.time()
    put_stats(tmp_path, "tictactoe", 50, bad_rows=0)
    rates = {"episodes_per_second": 21.0, "positions_per_second": 4322.0, "simulations_per_second": 9.0}
    write_actor(tmp_path / "actor_stats.json", "actor-1", ActorStats("tictactoe", 5, **rates))
    logs = RunFolder(tmp_path).logs
    silent = ("attention", f"nothing is played at the moment; the logs in {logs} may say why")
    assert ("speed", "21 games/s, 4,322 positions/s") in watch._summary(watch._stats())
    assert silent not in watch._summary(watch._stats())
    monkeypatch.setattr("trainer.launch.watch.time.time", lambda: now + SILENCE + 100)
    assert ("speed", "0 games/s, 0 positions/s") in watch._summary(watch._stats())
    assert silent in watch._summary(watch._stats())
    assert silent not in watch._summary({})  # the trainer hasn't begun, so these are actors of an earlier start
    watch.finish()
    said = capsys.readouterr().out
    assert "21 games/s, 4,322 positions/s" in said
    assert "attention" not in said
