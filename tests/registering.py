"""Registers the rules in any file as a game, for tests that need a game of their own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import trainer.games


def register(path: Path) -> str:
    """Make the rules in `path` a known game, named after the file; returns its env_id.

    What it changes are `trainer.games.ENV_IDS` and `sys.modules`; a test that must not leave a game behind restores both.
    """
    env_id = path.stem
    name = f"trainer.games.{env_id}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    trainer.games.ENV_IDS = (*trainer.games.ENV_IDS, env_id)
    return env_id
