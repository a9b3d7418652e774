"""Runs the file of a game."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType

from trainer.compile.source import GIVEN
from trainer.core.errors import GameError
from trainer.core.python_file import PythonFile, lines_named


def run_file(source: PythonFile, name: str, parameters: Mapping[str, int]) -> ModuleType:
    """Run a Python file as a module, with the values of its parameters. Raises GameError if it fails, with its line."""
    with lines_named(source.path, GameError, passes=(GameError,)):
        return source.run(re.sub(r"\W", "_", name), None, **{GIVEN: dict(parameters)})
