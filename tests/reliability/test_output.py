"""What is measured is saved before it is printed, and output that nobody can take is no reason to fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run_module
from random_models import publish_model
from waiting import PATIENCE

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
