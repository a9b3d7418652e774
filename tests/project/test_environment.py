"""tools/environment.sh, which `make` calls: .venv has the right Python, or one sentence says what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "environment.sh"
INTERPRETER = """#!{executable}
import pathlib, shutil, sys
if sys.argv[1] == "-m":  # venv FOLDER
    folder = pathlib.Path(sys.argv[3]) / "bin"
    folder.mkdir(parents=True)
    shutil.copy2(__file__, folder / "python")
else:
    sys.version_info, sys.base_prefix = ({version}, "final", 0), "/opt/{name}"
    exec(sys.argv[2])
"""


def interpreter(folder: Path, name: str, version: str) -> Path:
    """A program that says it is this version of Python, and makes environments of itself."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(INTERPRETER.format(executable=sys.executable, version=version.replace(".", ", "), name=name))
    path.chmod(0o755)
    return path


def call(folder: Path, python: object, given: str = "given") -> subprocess.CompletedProcess[str]:
    """`make run` in a folder, but for what it installs."""
    words = ["sh", str(SCRIPT), "nothing", str(python), given, "run"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("version", "found"),
    [("3.10.13", "{0} is Python 3.10.13, and Python 3.11 or newer is needed"), (None, "there is no Python named {0}")],
)
def test_a_python_that_will_not_do_is_refused_before_anything_is_made(
    tmp_path: Path, version: str | None, found: str
) -> None:
    """One sentence says what was found and what to type instead."""
    python = interpreter(tmp_path / "bin", "old", version) if version else tmp_path / "bin" / "none"
    (tmp_path / "clone").mkdir()
    done = call(tmp_path / "clone", python, "default")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {found.format(python)}")
    assert done.stderr.endswith("make run PYTHON=python3.12\n")
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "clone").iterdir()) == []


def test_an_environment_stays_unless_another_python_is_asked_for(tmp_path: Path) -> None:
    """Made once; another default changes nothing; another choice replaces it, in one line."""
    one, other = interpreter(tmp_path, "one", "3.12.1"), interpreter(tmp_path, "other", "3.13.0")
    for python, given, said in (
        (one, "default", ""),
        (other, "default", ""),
        (one, "given", ""),
        (tmp_path / ".venv" / "bin" / "python", "given", ""),
        (
            other,
            "given",
            f"Replacing .venv: it was made with Python 3.12.1 (/opt/one), and {other} is Python 3.13.0 (/opt/other).\n",
        ),
    ):
        done = call(tmp_path, python, given)
        assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    assert (tmp_path / ".venv" / "bin" / "python").read_text() == other.read_text()


@pytest.mark.parametrize("stale", ["3.10.13", None])
def test_an_environment_that_will_not_do_is_replaced(tmp_path: Path, stale: str | None) -> None:
    """One of an old Python, and one whose Python was removed; but not as long as there is no better Python."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    if stale:
        interpreter(tmp_path / ".venv" / "bin", "python", stale)
    old, new = interpreter(tmp_path, "old", "3.10.13"), interpreter(tmp_path, "new", "3.12.1")
    assert call(tmp_path, old, "default").returncode == 1
    assert (tmp_path / ".venv" / "bin").exists()
    reason = "it was made with Python 3.10.13, and Python 3.11 or newer is needed" if stale else "its Python is gone"
    done = call(tmp_path, new, "default")
    assert (done.returncode, done.stdout) == (0, f"Replacing .venv: {reason}.\n")
    assert (tmp_path / ".venv" / "bin" / "python").read_text() == new.read_text()


def test_an_environment_that_was_copied_with_its_checkout_is_replaced(tmp_path: Path) -> None:
    """It would use the sources of the other checkout. That one's stays."""
    python = interpreter(tmp_path, "one", "3.12.1")
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    assert call(original, python, "default").stdout == ""
    shutil.copytree(original, copy)
    for said in (f"Replacing .venv: it was made in {original.resolve()}.\n", ""):
        done = call(copy, python, "default")
        assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    assert call(original, python, "default").stdout == ""
