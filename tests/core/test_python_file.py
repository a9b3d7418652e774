"""Somebody's Python file, and its lines in errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trainer.core.errors import ConfigError, GameError
from trainer.core.python_file import PythonFile, lines_named


def test_an_error_in_a_file_has_its_line(tmp_path: Path) -> None:
    """Of the file, not of what it calls; also if the file was changed since it was read, or doesn't parse."""
    path = tmp_path / "own.py"
    path.write_text("import json\n\njson.loads('x')\n")
    file = PythonFile(path)
    path.write_text("")
    named = pytest.raises(ConfigError, match=r"^--file /.*own\.py, line 3: JSONDecodeError: Expecting value")
    with named, lines_named(path, ConfigError, "--file "):
        file.run("own", None)
    assert "own" not in sys.modules
    with pytest.raises(GameError, match=r"^/.*own\.py, line 2: SyntaxError: "), lines_named(path, GameError):
        PythonFile(path, b"\n1 +\n").run("own", None)


def test_a_file_that_ends_the_program_is_an_error(tmp_path: Path) -> None:
    """Otherwise a command that did nothing would end with the file's status, such as 0."""
    path = tmp_path / "own.py"
    path.write_text("import sys\n\nsys.exit(0)\n")
    ends = pytest.raises(
        GameError, match=r"own\.py, line 3: the file ends the program \(SystemExit: 0\); put what it does"
    )
    with ends, lines_named(path, GameError):
        PythonFile(path).run("own", None)


def test_errors_that_are_to_pass_are_raised_as_they_are(tmp_path: Path) -> None:
    """Those of its own words; others aren't."""
    with pytest.raises(GameError, match=r"^size is 12$"), lines_named(tmp_path, GameError, passes=(GameError,)):
        raise GameError("size is 12")
    named = pytest.raises(GameError, match=r"line 1: ConfigError: size is 12$")
    with named, lines_named(tmp_path, GameError, passes=(GameError,)):
        raise ConfigError("size is 12")
