"""Registers rules from any module as a game, for tests that need a game of their own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import trainer.games


@contextmanager
def registered(rules: ModuleType) -> Iterator[str]:
    """Make a module of rules a known game while the block runs; gives its env_id, which is the module's name."""
    env_id = rules.__name__
    known = trainer.games.ENV_IDS
    folder = ModuleType(f"trainer.games.{env_id}")
    folder.__path__ = []  # a package, without other parts of a game
    modules = {folder.__name__: folder, f"{folder.__name__}.rules": rules}
    trainer.games.ENV_IDS = (*known, env_id)
    sys.modules.update(modules)
    try:
        yield env_id
    finally:
        trainer.games.ENV_IDS = known
        for name in modules:
            del sys.modules[name]


def rules_in(path: Path) -> ModuleType:
    """The module in a file, named after it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
