"""Processes in containers, each with its own process ids: needs root and the program unshare."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from random_models import publish_model
from waiting import wait_until

CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Words before a command that make it the first process of a container."""


def can_make_containers() -> bool:
    """Whether this user and this system allow it."""
    return bool(shutil.which("unshare")) and subprocess.run([*CONTAINER, "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not can_make_containers(), reason="needs root and unshare")


def test_sigterm_ends_the_first_process_of_a_container(tmp_path: Path) -> None:
    """The system ignores it there by default; the evaluator says that it was interrupted."""
    publish_model(tmp_path)
    evaluator = [sys.executable, "-m", "trainer.evaluator", "--model", str(tmp_path / "models" / "latest.onnx")]
    words = ["--games", "40000", "--simulations", "400", "--opponent", "search", "--log-level", "DEBUG"]
    process = subprocess.Popen([*CONTAINER, *evaluator, *words], stderr=subprocess.PIPE, text=True)

    def inner() -> list[int]:
        return [child.pid for child in psutil.Process(process.pid).children() if "evaluator" in str(child.cmdline())]

    wait_until(lambda: bool(inner()), "the evaluator doesn't start")
    wait_until(lambda: "libnumba" in maps(inner()) or "llvmlite" in maps(inner()), "the evaluator doesn't begin")
    (evaluating,) = inner()
    os.kill(evaluating, signal.SIGTERM)
    wait_until(lambda: process.poll() is not None, "the evaluator doesn't heed SIGTERM")
    assert "interrupted" in process.communicate()[1]


def maps(processes: list[int]) -> str:
    """The libraries that the processes have loaded."""
    return "".join(Path(f"/proc/{one}/maps").read_text() for one in processes)


def test_actors_of_two_containers_share_a_run(tmp_path: Path) -> None:
    """One of them without a home: nobody takes the other one for dead, so the sum of the rates is always that of both."""
    words = [
        sys.executable,
        "-m",
        "trainer.actor",
        "--replay-db-path",
        "replay.db",
        "--data-dir",
        ".",
        "--threads",
        "1",
    ]
    words += ["--simulations", "1", "--replay-window", "10000"]
    homeless = {key: value for key, value in os.environ.items() if key not in ("HOME", "CARTRIDGE_CACHE")}

    def rates() -> list[float]:
        """Games per second of each actor."""
        actors = json.loads((tmp_path / "actor_stats.json").read_text())["actors"].values()
        return [actor["episodes_per_second"] for actor in actors]

    def clocks() -> list[int]:
        """When each of them wrote."""
        actors = json.loads((tmp_path / "actor_stats.json").read_text())["actors"].values()
        return [actor["timestamp"] for actor in actors]

    processes: list[subprocess.Popen[bytes]] = []

    def both(condition: Callable[[], bool]) -> Callable[[], bool]:
        """The condition, as long as no process has ended."""

        def holds() -> bool:
            assert [process.poll() for process in processes] == [None, None]
            return condition()

        return holds

    with ExitStack() as stack:
        for name, command, environment in (
            ("here", words, os.environ),
            ("there", [*CONTAINER, *words], homeless | {"HOME": "/nonexistent"}),
        ):
            process = subprocess.Popen([*command, "--actor-id", name], cwd=tmp_path, env=environment)
            processes.append(process)
            stack.callback(process.wait)
            stack.callback(process.kill)
        wait_until(both((tmp_path / "actor_stats.json").exists), "no actor writes")
        wait_until(both(lambda: len(rates()) == 2 and min(rates()) > 0), "one of them doesn't play")
        began, seen = clocks(), []

        def both_went_on() -> bool:
            seen.append(rates())
            return min(now - then for now, then in zip(clocks(), began, strict=True)) >= 3

        wait_until(both(both_went_on), "one of them stands still")
    assert all(min(each) > 0 for each in seen)
