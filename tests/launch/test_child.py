"""Processes that the loop starts: how their end is understood."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from waiting import wait_until

from trainer.core.errors import TrainerError
from trainer.core.signals import INTERRUPTED
from trainer.launch.child import STOP_SECONDS, Child
from trainer.replay.database.connection import BUSY_SECONDS


@dataclass
class Nothing:
    """A command without settings."""


def child(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Child:
    """A process that runs a program."""
    (folder / "program.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return Child("trainer", "program", Nothing(), folder / "logs")


def test_a_process_that_ends_itself_by_sigint_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python does that if it was interrupted while a library ran code, such as torch when it is imported."""
    own = child(
        "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nos.kill(os.getpid(), signal.SIGINT)",
        tmp_path,
        monkeypatch,
    )
    wait_until(lambda: own.status is not None, "it doesn't end")
    assert own.status == own.stop() == INTERRUPTED
    own.raise_failure()
    with pytest.raises(TrainerError, match="the trainer was stopped from outside"):
        own.raise_exit()


def test_sigterm_ends_a_process_that_knows_no_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in its first moments, when a signal to the whole group ends it before the loop asks it to stop: no failure."""
    own = child("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", tmp_path, monkeypatch)
    wait_until(lambda: own.status is not None, "it doesn't end")
    assert own.stop() == INTERRUPTED
    own.raise_failure()


def test_files_of_the_working_folder_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` would put that folder first: a user's trainer.py, or a random.py, would run in place of ours."""
    (tmp_path / "trainer.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    own = Child("trainer", "trainer.cli", Nothing(), tmp_path / "logs")
    wait_until(lambda: own.status is not None, "it doesn't end")
    assert "trainer.py" not in own.log.read_text()
    assert own.status != 7


def test_another_signal_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its last words."""
    own = child("import os\nprint('error: no', flush=True)\nos.abort()", tmp_path, monkeypatch)
    wait_until(lambda: own.status is not None, "it doesn't end")
    with pytest.raises(TrainerError, match=r"the trainer failed \(no\); see .*trainer\.log"):
        own.raise_failure()


def test_a_process_that_the_system_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words would mislead: it had no time to say anything."""
    own = child("import os\nprint('all is well', flush=True)\nos.kill(os.getpid(), 9)", tmp_path, monkeypatch)
    wait_until(lambda: own.status is not None, "it doesn't end")
    with pytest.raises(
        TrainerError, match=r"the trainer was killed, as the system does when memory runs out; see .*log"
    ):
        own.raise_failure()


def test_a_process_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It didn't fail: it was busy, say compiling, for longer than it gets."""
    monkeypatch.setattr("trainer.launch.child.STOP_SECONDS", 0.1)
    own = child(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('compiling', flush=True)\ntime.sleep(60)",
        tmp_path,
        monkeypatch,
    )
    wait_until(lambda: own.last_words == "compiling", "it doesn't start")
    assert own.stop() == -signal.SIGKILL
    with pytest.raises(TrainerError, match=r"the trainer didn't end within 0\.1 s of being asked to, and was killed"):
        own.raise_failure()


def test_a_process_may_wait_for_a_lock_before_it_ends() -> None:
    """Else the loop would kill an actor with its finished games, and a trainer before it saves its step."""
    assert STOP_SECONDS > BUSY_SECONDS


def test_a_process_that_has_ended_gets_no_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its id may belong to a process of somebody else by then; before, the signal goes to its group."""
    sent = []
    monkeypatch.setattr(os, "killpg", lambda group, number: sent.append((group, number)))
    own = child("import signal\nsignal.pause()", tmp_path, monkeypatch)
    own.send(signal.SIGCONT)
    own.stop()
    own.send(signal.SIGSTOP)
    assert sent == [(own._process.pid, signal.SIGCONT)]


def test_the_log_of_the_start_before_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may say why that one failed; the last words have no time of day, whatever their level."""
    for words in ("12:00:00 WARNING the first", "12:00:01 INFO the second"):
        own = child(f"print('{words}')", tmp_path, monkeypatch)
        wait_until(lambda own=own: own.status is not None, "it doesn't end")
        assert own.last_words == words.split(" ", 2)[2]
    assert (tmp_path / "logs" / "trainer.log").read_text() == "12:00:01 INFO the second\n"
    assert (tmp_path / "logs" / "trainer.log.1").read_text() == "12:00:00 WARNING the first\n"


def test_the_last_words_come_from_the_end_of_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of a long run is large, and somebody may have deleted it."""
    own = child("print('first'), print('12:00:00 ERROR last'); raise SystemExit(1)", tmp_path, monkeypatch)
    wait_until(lambda: own.status is not None, "it doesn't end")
    monkeypatch.setattr("trainer.launch.child.LAST_BYTES", 10)
    assert own.last_words == "RROR last"
    monkeypatch.undo()
    assert own.last_words == "last"
    own.log.unlink()
    with pytest.raises(TrainerError, match=r"the trainer failed \(its log can't be read\); see .*trainer\.log"):
        own.raise_failure()
