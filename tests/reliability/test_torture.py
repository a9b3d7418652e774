"""The short form of `make torture`: the same programs, less of everything."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from programs import processes_of
from torture import crowd, kills
from torture.__main__ import Promise, Torture, promises_of
from waiting import PATIENCE, wait_until

TESTS = Path(__file__).parent.parent


def torture(module: str, *arguments: object) -> str:
    """Run a program of tests/torture; returns what it printed. Nothing that it started goes on after it."""
    paths = os.pathsep.join(filter(None, (str(TESTS), str(TESTS / "support"), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        [sys.executable, "-m", f"torture.{module}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
        start_new_session=True,  # with what it starts, it is a group of processes
    ) as process:
        try:
            said, errors = process.communicate(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):  # none is left
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said + errors
    return said


def test_death_at_some_points_loses_nothing(tmp_path: Path) -> None:
    """Every 30th write, sync, rename or statement; the resumed run ends in the same model."""
    assert "resumed each time to the same model" in torture("death", tmp_path / "run", 30)


def test_death_in_some_commits_loses_nothing(tmp_path: Path) -> None:
    """Every 60th write of SQLite, and five random moments."""
    assert "random moments" in torture("commits", tmp_path / "run", 60, 5)


def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    """Actor, trainer, loop and page, twice each: during the start, and at work."""
    assert torture("kills", tmp_path, 8).startswith("killed 8 times: actor 2 ")


def test_a_killed_run_ends_as_one_that_was_left_alone(tmp_path: Path) -> None:
    """On two databases, killed twice by SIGKILL at some moment, resumed each time: the same weights, bit for bit."""
    assert "bit for bit" in torture("resume", tmp_path / "run", 3000, 2, 2)


@pytest.mark.skipif(find_spec("ray") is None, reason='needs Ray: pip install -e ".[cluster]"')
def test_death_of_what_ends_a_cluster_loses_nothing(tmp_path: Path) -> None:
    """The trainer and the head, once each; the run is resumed. (The others: tests/cluster/test_ray.py.)"""
    assert "none lost" in torture("cluster", tmp_path / "run", 2, "trainer", "head")


def test_ctrl_c_while_a_command_imports_is_one_line(tmp_path: Path) -> None:
    """Each command, once."""
    assert "6 commands interrupted 1 times each: no traceback" in torture("interrupts", tmp_path, 1)


def test_many_at_one_database_lose_nothing(tmp_path: Path) -> None:
    """Five seconds of four actors, a trainer, a reader of games and a foreign writer."""
    assert "no lock reached anybody else" in torture("crowd", tmp_path / "run", 5)


@pytest.mark.parametrize("program", ["crowd", "kills"])
def test_a_program_that_fails_leaves_nothing_running(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither actors without an end, nor threads that write or visit."""

    def fails(*_: object) -> None:
        raise AssertionError("nothing begins")

    before = set(threading.enumerate())
    monkeypatch.setattr(f"torture.{program}.wait_until", fails)
    monkeypatch.setattr(kills, "LONGEST", 0.0)
    with pytest.raises(AssertionError, match="nothing begins"):
        crowd.crowd(tmp_path, 5) if program == "crowd" else kills.kill_page(tmp_path / "run", 2, 1)
    assert processes_of(tmp_path) == []
    wait_until(lambda: set(threading.enumerate()) <= before, "a thread goes on")


@pytest.mark.parametrize("inputs", [150])
def test_damaged_inputs_are_refused_or_read_right(tmp_path: Path, inputs: int) -> None:
    """Databases, models, checkpoints and statistics, thirty of each kind."""
    assert torture("damage", tmp_path / "run", inputs).endswith(" 0 findings\n")


def test_damaged_requests_and_pages_get_a_sentence(tmp_path: Path) -> None:
    """A hundred requests to a real server, and a hundred damaged files behind it."""
    assert torture("page", tmp_path, 200).startswith("100 requests (")


def test_every_promise_is_tried() -> None:
    """The rows of docs/reliability.md are what `make torture` prints."""
    text = (TESTS.parent / "docs" / "reliability.md").read_text()
    assert re.findall(r"^\| \*\*(.+?)\.\*\*", text, re.MULTILINE) == [
        promise.name for promise in promises_of(Torture())
    ]


@pytest.mark.parametrize("promise", promises_of(Torture()), ids=lambda promise: promise.name)
def test_what_a_promise_says_is_tried_exists(promise: Promise) -> None:
    """Every file that its row names is run, and every word that selects tests is part of a test's name there."""
    text = (TESTS.parent / "docs" / "reliability.md").read_text()
    (row,) = re.findall(rf"^\| \*\*{re.escape(promise.name)}\.\*\*.*$", text, re.MULTILINE)
    words = [str(word) for part in promise.parts for word in part.arguments]
    run = {word for word in words if word.endswith(".py")} | {f"torture/{part.program}.py" for part in promise.parts}
    assert set(re.findall(r"`tests/(.+?\.py)`", row)) <= run
    for part in promise.parts:
        if "-k" in part.arguments:
            *files, _, selection = map(str, part.arguments)
            names = [name for file in files for name in re.findall(r"def (test_\w+)", (TESTS / file).read_text())]
            for word in set(re.findall(r"\w+", selection)) - {"and", "or", "not"}:
                assert any(word in name for name in names), f"no test of {files} has {word} in its name"
