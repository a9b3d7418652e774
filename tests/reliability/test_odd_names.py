"""Names that a library might interpret, and files that an editor has touched."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import run_module

from trainer.games.connect4.scored_positions import read_lines


@pytest.mark.parametrize("name", [":memory:", "file:x.db", "file::memory:?cache=shared"])
def test_a_database_has_the_name_that_was_given(tmp_path: Path, name: str) -> None:
    """SQLite would take some names for a database in memory, or for another file; all rows are in this one."""
    words = ["--replay-db-path", name, "--data-dir", ".", "--max-episodes", 3, "--games", 4]
    done = run_module("trainer.actor", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(str(tmp_path / name))) as connection:
        assert connection.execute("SELECT count(DISTINCT episode_id) FROM transitions").fetchone() == (3,)


def test_brackets_in_names_are_no_markup(
    tmp_path: Path, call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """In the folder of a run, and in the title and the rows of a table."""
    folder = tmp_path / "a[/b]c"
    words = ["--steps", 20, "--threads", 1, "--simulations", 5]
    done = run_module("trainer.loop", "--data-dir", folder, *words)
    assert done.returncode == 0, done.stderr
    assert f"Trained tictactoe in {folder}:" in done.stdout
    model = folder / "models" / "x[best].onnx"
    shutil.copy(folder / "models" / "latest.onnx", model)
    assert call_main("trainer.evaluator", "--model", model, "--solve", "--solve-simulations", 0) == 0
    assert "Wrong moves of ONNX(x[best].onnx) in tictactoe" in capsys.readouterr().out
    assert call_main("trainer.ladder", "--model-dir", folder / "models", "--games", 2, "--against", model) == 0
    assert "ONNX(x[best].onnx)" in capsys.readouterr().out


@pytest.mark.parametrize("around", [("\ufeff", ""), ("", "\n\n"), ("\ufeff# words\n\n", " \n")], ids=repr)
def test_a_positions_file_may_have_been_in_an_editor(tmp_path: Path, around: tuple[str, str]) -> None:
    """A byte-order mark at its start, and empty lines, say nothing."""
    line = "begin-easy,010101,1 0 0 0 0 0 0"
    path = tmp_path / "positions.csv"
    path.write_text(f"{around[0]}{line}\n{around[1]}")
    (scored,) = read_lines(path)
    assert (scored.kind, scored.moves) == ("begin-easy", "010101")
