"""Plain Python functions at compiled speed, kept on disk between runs.

Numba's own cache notices an edit in a function's file but not in the files it calls into, and it can't cache closures.
So every set of sources gets a folder of its own, named after the hash of all of them, that holds copies of the files:

    <cache>/connect4-1f3a.../rules.py     the game's module
    <cache>/connect4-1f3a.../rows.py      kernels over many rows; its global `rules` is the module above
    <cache>/connect4-1f3a.../kernels.py   the search; its globals `rules` and `rows` are the modules above

A module says what it uses by annotating a global without a value (`rules: Rules`, `NUM_ACTIONS: int`); it is bound to
the module or the size of that name. An edit changes the hash and so the folder; a kernel can't be stale.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

import numba

from trainer.games import base, game_of, rows, rules_of

KEEP_UNUSED_DAYS = 30


def cache_folder() -> Path:
    """Where compiled code is kept: `$CARTRIDGE_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("CARTRIDGE_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "cartridge-trainer"


def compiled(
    env_id: str, *kernels: ModuleType, warm_up: Callable[..., Any] | None = None
) -> tuple[ModuleType, ...]:
    """The modules (rules, rows, *kernels) of a game, their functions compiled.

    `warm_up(rules, rows, *kernels)` is called once, while no other process compiles the same sources; it should call
    every function that the caller will need, so that all of them are in the cache when it returns.
    """
    game = game_of(env_id)
    sizes = {"NUM_CELLS": game.num_cells, "NUM_ACTIONS": game.num_actions, "FLAG_WORDS": game.flag_words}
    sources = {"rules": rules_of(env_id), "rows": rows}
    sources |= {kernel.__name__.rpartition(".")[2]: kernel for kernel in kernels}
    texts = {name: Path(_file_of(module)).read_bytes() for name, module in sources.items()}
    key = hashlib.sha256()
    for text in (*texts.values(), Path(_file_of(base)).read_bytes()):
        key.update(hashlib.sha256(text).digest())
    for library in ("numba", "llvmlite", "numpy"):
        key.update(version(library).encode())
    key.update(sys.version.encode())
    folder = _copied(texts, f"{env_id}-{key.hexdigest()[:16]}")
    with _locked(folder):
        modules: dict[str, ModuleType] = {}
        for name in texts:
            path = folder / f"{name}.py"
            modules[name] = _imported(path, f"_compiled_{folder.name}_{name}", modules | sizes)
        if warm_up:
            warm_up(*modules.values())
    return tuple(modules.values())


def _file_of(module: ModuleType) -> str:
    assert module.__file__ is not None
    return module.__file__


def _copied(texts: dict[str, bytes], name: str) -> Path:
    """The folder that holds the sources, made if it is not there; a temporary one where the cache can't be written."""
    try:
        folder = cache_folder() / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            _remove_unused(folder.parent)
            building = Path(tempfile.mkdtemp(prefix=".tmp-", dir=folder.parent))
            for module, text in texts.items():
                (building / f"{module}.py").write_bytes(text)
            try:
                building.rename(folder)
            except OSError:  # another process was faster
                shutil.rmtree(building, ignore_errors=True)
        os.utime(folder)
        return folder
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"cartridge-trainer-{os.getuid()}" / name
        folder.mkdir(parents=True, exist_ok=True)
        for module, text in texts.items():
            (folder / f"{module}.py").write_bytes(text)
        return folder


def _remove_unused(cache: Path) -> None:
    """Delete the folders that no run has used for a month."""
    for folder in cache.iterdir():
        if folder.is_dir() and time.time() - folder.stat().st_mtime > KEEP_UNUSED_DAYS * 86400:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time compiles the same sources; the others then find its work in the cache."""
    with open(folder / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _imported(path: Path, name: str, uses: dict[str, Any]) -> ModuleType:
    """Import a copy, bind what it uses, and wrap its functions by Numba (compiled at their first call)."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    for used in uses.keys() & vars(module).get("__annotations__", {}).keys():
        setattr(module, used, uses[used])
    for key, function in list(vars(module).items()):
        if isfunction(function) and function.__module__ == name:
            wrap = numba.njit(cache=True, nogil=True, error_model="numpy")
            setattr(module, key, wrap(function))
    return module
