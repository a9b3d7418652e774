"""How a loop ends, by how its processes end."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from trainer.core.errors import TrainerError
from trainer.launch import local
from trainer.launch.watch import Watch
from trainer.run.folder import RunFolder
from trainer.settings.loop import LoopConfig

WAIT = "while [ ! -e {} ]; do sleep 0.05; done"


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shell scripts that run in place of the modules `trainer`, `trainer.actor` and `trainer.web`.

    Without a script of its own each waits until it is stopped. They share the working folder.
    """
    folder, python = tmp_path / "scripts", tmp_path / "python"
    folder.mkdir()
    for module in ("trainer", "trainer.actor", "trainer.web"):
        (folder / module).write_text("exec sleep 600\n")
    python.write_text(f'#!/bin/sh\nexec sh "{folder}/$3"\n')
    python.chmod(0o755)
    monkeypatch.setattr("trainer.launch.child.sys", SimpleNamespace(executable=str(python)))
    monkeypatch.setattr(local, "LOOK_SECONDS", 0.05)
    monkeypatch.chdir(tmp_path)
    return folder


def run(folder: Path, web: bool = False) -> int:
    """A loop without a model; returns its exit status."""
    run = RunFolder(folder / "run")
    return local.run_processes(LoopConfig(data_dir=run.path, web=web), run, Event())


def test_a_run_goes_on_without_its_page(
    scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so once; the trainer ends later, and with it the run, as if nothing had happened."""
    (scripts / "trainer.web").write_text("echo no page; exit 3")
    (scripts / "trainer").write_text(WAIT.format("gone"))
    looks = []

    def look(watch: Watch) -> None:
        if "goes on without its page" in caplog.text:
            looks.append(watch)
        if len(looks) == 3:
            (tmp_path / "gone").touch()

    monkeypatch.setattr(Watch, "look", look)
    assert run(tmp_path, web=True) == 0
    assert caplog.text.count("goes on without its page") == 1
    assert "the web failed (no page)" in caplog.text


def test_an_actor_that_does_not_stop_spoils_nothing(
    scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is killed at the end of the run, which is a warning: all that matters is saved."""
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("trainer.launch.child.STOP_SECONDS", 0.2)
    (scripts / "trainer.actor").write_text("trap '' TERM; touch ready; while :; do sleep 0.05; done")
    (scripts / "trainer").write_text(WAIT.format("ready"))
    assert run(tmp_path) == 0
    assert "the actor didn't end within 0.2 s of being asked to, and was killed" in caplog.text


@pytest.mark.parametrize(
    ("module", "script", "says"),
    [
        ("trainer", "exit 130", "the trainer was stopped from outside; start again with --resume to go on"),
        ("trainer", "echo no room; exit 1", r"the trainer failed \(no room\); see .*/logs/trainer\.log"),
        ("trainer.actor", "exit 0", "the actor was stopped from outside; start again with --resume to go on"),
        ("trainer.actor", "echo no rules; exit 1", r"the actor failed \(no rules\); see .*/logs/actor\.log"),
        ("trainer.actor", "kill -9 $$", "the actor was killed, as the system does when memory runs out"),
    ],
)
def test_a_run_ends_with_the_first_process_that_ends(
    scripts: Path, tmp_path: Path, module: str, script: str, says: str
) -> None:
    """And says why."""
    (scripts / module).write_text(script)
    with pytest.raises(TrainerError, match=says):
        run(tmp_path)
