"""Runs the file of a game."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from trainer.compile.source import Source
from trainer.core.errors import GameError
from trainer.games.parameters import GIVEN


def run_file(source: Source, name: str, parameters: Mapping[str, int]) -> ModuleType:
    """Run a Python file as a module, with the values of its parameters. Raises GameError if it fails, with its line."""
    try:
        return source.run(re.sub(r"\W", "_", name), None, **{GIVEN: dict(parameters)})
    except GameError:
        raise
    except Exception as error:  # whatever somebody's file raises
        line = line_in(source.path, error)
        raise GameError(f"{source.path}, line {line}: {type(error).__name__}: {error}") from error


def line_in(path: Path, error: Exception) -> int:
    """The last line of a file that an error passed through; of a syntax error, where it is."""
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    line, trace = 1, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
