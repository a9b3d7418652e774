"""What is measured is saved before it is printed, and output that nobody can take is no reason to fail."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run_module
from programs import ending
from random_models import publish_model
from waiting import PATIENCE, wait_until

EVALUATOR = [sys.executable, "-m", "trainer.evaluator"]


def measured(folder: Path, output: int, **options: object) -> tuple[subprocess.CompletedProcess[str], dict]:
    """A verbose match whose report goes to a file descriptor; its process, and the JSON that it saved."""
    publish_model(folder)
    words = ["--model", folder / "models" / "latest.onnx", "--games", 200, "--verbose", "--json", folder / "found.json"]
    done = subprocess.run(
        [*EVALUATOR, *map(str, words)], stdout=output, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, **options
    )  # type: ignore[call-overload]
    return done, json.loads((folder / "found.json").read_text())


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """As with `| head -14`: exit status 0, nothing on standard error, and the match is saved."""
    reading, writing = os.pipe()
    os.close(reading)
    done, found = measured(tmp_path, writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert found["games_played"] == 200


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_below_the_output_costs_the_report_only(tmp_path: Path) -> None:
    """One line says so; the match is saved."""
    with open("/dev/full", "w") as full:
        done, found = measured(tmp_path, full.fileno())
    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"
    assert found["games_played"] == 200


def test_characters_that_the_output_lacks_are_replaced(tmp_path: Path) -> None:
    """The tick of the verdict in ASCII, and a folder's name that is not UTF-8 in an error."""
    done, _ = measured(tmp_path, subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert " than random play" in done.stdout
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    done = run_module(
        "trainer.evaluator", "--model", os.fsdecode(b"caf\xe9.onnx"), "--db", tmp_path / "none", env=strict
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no model at caf\\udce9.onnx")


def test_a_run_outlives_its_terminal(tmp_path: Path) -> None:
    """A window that is closed on a run of another session: it learns on, and Ctrl-C ends it as ever."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "trainer.loop", "--data-dir", str(tmp_path), "--minutes", "60", "--threads", "1"]
    terminal = os.environ | {"TERM": "xterm"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=terminal, start_new_session=True)
    os.close(theirs)
    shown = bytearray()

    def step() -> int:
        if select.select([ours], [], [], 0)[0]:
            shown.extend(os.read(ours, 4096))  # a terminal that isn't read would hold the run up
        return json.loads(path.read_text())["step"] if (path := tmp_path / "stats.json").exists() else 0

    with ending(process):
        wait_until(lambda: step() and b"self-play" in shown, "it doesn't train, or doesn't show it", process)
        before = step()
        os.close(ours)
        wait_until(
            lambda: json.loads((tmp_path / "stats.json").read_text())["step"] > before + 500, "it trains no more"
        )
        wait_until((tmp_path / "evaluations.jsonl").exists, "no model is evaluated")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    stats = json.loads((tmp_path / "stats.json").read_text())
    evaluated = (tmp_path / "evaluations.jsonl").read_text().splitlines()
    assert stats["last_eval"]["step"] == json.loads(evaluated[-1])["step"]


def test_a_loop_needs_no_standard_error(tmp_path: Path) -> None:
    """It may be closed, as with `2>&-`."""
    words = ["--data-dir", tmp_path, "--steps", 60, "--threads", 1, "--simulations", 5]
    command = shlex.join([sys.executable, "-m", "trainer.loop", *map(str, words)])
    done = subprocess.run(f"{command} 2>&-", shell=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == 0
    assert "Trained tictactoe" in done.stdout
