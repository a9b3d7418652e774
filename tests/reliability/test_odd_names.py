"""Names that a library might interpret, files that an editor has touched, and the first process of a container."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import run_module
from random_models import publish_model
from waiting import PATIENCE, wait_until

from trainer.games.connect4.scored_positions import read_lines


@pytest.mark.parametrize("name", [":memory:", "file:x.db", "file::memory:?cache=shared"])
def test_a_database_has_the_name_that_was_given(tmp_path: Path, name: str) -> None:
    """SQLite would take some names for a database in memory, or for another file; all rows are in this one."""
    words = ["--replay-db-path", name, "--data-dir", ".", "--max-episodes", 3, "--games", 4]
    done = run_module("trainer.actor", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(str(tmp_path / name))) as connection:
        assert connection.execute("SELECT count(DISTINCT episode_id) FROM transitions").fetchone() == (3,)


def test_brackets_in_names_are_no_markup(tmp_path: Path) -> None:
    """In the folder of a run, and in the title and the rows of a table."""
    folder = tmp_path / "a[/b]c"
    words = ["--steps", 20, "--threads", 1, "--simulations", 5]
    done = run_module("trainer.loop", "--data-dir", folder, *words)
    assert done.returncode == 0, done.stderr
    assert f"Trained tictactoe in {folder}:" in done.stdout
    model = folder / "models" / "x[best].onnx"
    shutil.copy(folder / "models" / "latest.onnx", model)
    done = run_module("trainer.evaluator", "--model", model, "--solve", "--solve-simulations", 0)
    assert "Wrong moves of ONNX(x[best].onnx) in tictactoe" in done.stdout, done.stderr
    done = run_module("trainer.ladder", "--model-dir", folder / "models", "--games", 2, "--against", model)
    assert "ONNX(x[best].onnx)" in done.stdout, done.stderr


@pytest.mark.parametrize("around", [("\ufeff", ""), ("", "\n\n"), ("\ufeff# words\n\n", " \n")], ids=repr)
def test_a_positions_file_may_have_been_in_an_editor(tmp_path: Path, around: tuple[str, str]) -> None:
    """A byte-order mark at its start, and empty lines, say nothing."""
    line = "begin-easy,010101,1 0 0 0 0 0 0"
    path = tmp_path / "positions.csv"
    path.write_text(f"{around[0]}{line}\n{around[1]}")
    (scored,) = read_lines(path)
    assert (scored.kind, scored.moves) == ("begin-easy", "010101")


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare"
)
def test_sigterm_ends_the_first_process_of_a_container(tmp_path: Path) -> None:
    """The system ignores it there by default; the evaluator says that it was interrupted."""
    publish_model(tmp_path)
    evaluator = [sys.executable, "-m", "trainer.evaluator", "--model", str(tmp_path / "models" / "latest.onnx")]
    words = ["--games", "4000", "--simulations", "400", "--opponent", "search", "--log-level", "DEBUG"]
    probe = subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("no namespaces here")
    process = subprocess.Popen(["unshare", "--pid", "--fork", *evaluator, *words], stderr=subprocess.PIPE, text=True)

    def inner() -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        return [int(one) for one in found if "evaluator" in Path(f"/proc/{one}/cmdline").read_text()]

    wait_until(lambda: bool(inner()), "the evaluator doesn't start")
    wait_until(lambda: "libnumba" in maps(inner()) or "llvmlite" in maps(inner()), "the evaluator doesn't begin")
    os.kill(inner()[0], signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert "interrupted" in errors


def maps(processes: list[int]) -> str:
    """The libraries that the processes have loaded."""
    return "".join(Path(f"/proc/{one}/maps").read_text() for one in processes)
