"""Runs the file of a game."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType

from trainer.compile.source import Source, line_in
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
