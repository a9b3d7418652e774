"""A test's own module of rules as a game."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from trainer.games import game_of


def registered(rules: ModuleType) -> str:
    """The env_id of the game in a module's file."""
    return game_of(str(rules.__file__)).env_id


def rules_in(path: Path) -> ModuleType:
    """The module in a file, named after it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def game_with(part: str, text: str, folder: Path) -> str:
    """Makes a folder a game of tic-tac-toe with the file `part` beside its rules; returns its name."""
    rules = (Path(__file__).parent / "own_games" / "myttt.py").read_text()
    (folder / "rules.py").write_text(rules.replace('"myttt"', f'"{folder.name}"'))
    (folder / part).write_text(text)
    return str(folder)
