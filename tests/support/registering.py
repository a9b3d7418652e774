"""Registers rules from anywhere as a game, for tests that need a game of their own."""

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
    """A module of rules is a known game while the block runs; gives its env_id, the module's name."""
    env_id = rules.__name__
    known = trainer.games.ENV_IDS
    trainer.games.ENV_IDS = (*known, env_id)
    sys.modules[f"trainer.games.{env_id}.rules"] = rules
    try:
        yield env_id
    finally:
        trainer.games.ENV_IDS = known
        del sys.modules[f"trainer.games.{env_id}.rules"]


def rules_in(path: Path) -> ModuleType:
    """The module in any file, named after it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
