"""Plain Python functions at compiled speed, kept on disk between runs.

Numba's own cache notices an edit in a function's file but not in the files it calls into, and it can't cache closures.
So each module is copied into a folder named after the hash of its source and of all sources that it may call:

    <cache>/connect4-rules-1f3a.../rules.py   the game's module
    <cache>/connect4-rows-77d0.../rows.py     kernels over many rows; its global `rules` is the module above
    <cache>/connect4-tree-08be.../tree.py     the search; its globals `rules`, `rows` and `cache` are such modules
    <cache>/any-forward-51c9.../forward.py    kernels of networks, which use nothing of a game and are shared by all

A module says what it uses by annotating a global without a value (`rules: Rules`, `NUM_ACTIONS: int`); it is bound to
the module, or the property of the game, of that name. An edit changes the hash and so the folder; a kernel can't be stale.

Kernels and rules don't allocate memory, their caller does. A module that has to says `ALLOCATES = True`. One that says
`INLINED = True` becomes faster where small functions hand large tuples of arrays to each other, and takes longer to compile.
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

from trainer.core.files import write_bytes
from trainer.games import base, game_of, rows, rules_of

KEEP_UNUSED_DAYS = 30


def cache_folder() -> Path:
    """Where compiled code is kept: `$CARTRIDGE_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("CARTRIDGE_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "cartridge-trainer"


def compiled(
    env_id: str | None, *kernels: ModuleType, warm_up: Callable[..., Any] | None = None, **named: ModuleType
) -> tuple[ModuleType, ...]:
    """The modules (rules, rows, *named, *kernels) of a game, their functions compiled; of no game only the kernels.

    A kernel module is bound by the name of its file; one of `named` by the name given here, so that kernels can use
    whichever of several modules belongs to the game.

    `warm_up` gets the same modules and is called once, while no other process compiles the same sources; it should call
    every function that the caller will need, so that all of them are in the cache when it returns.
    """
    sizes: dict[str, Any] = {}
    sources: dict[str, ModuleType] = {}
    stems = {module.__name__.rpartition(".")[2]: module for module in kernels}
    if env_id is not None:
        game = game_of(env_id)
        sizes = {
            "NUM_CELLS": game.num_cells,
            "NUM_ACTIONS": game.num_actions,
            "FLAG_WORDS": game.flag_words,
            "SUDDEN_WINS": hasattr(rules_of(env_id), "wins_next"),
        }
        sources = {"rules": rules_of(env_id), "rows": rows} | named
    common = hashlib.sha256(sys.version.encode() + _source(base))
    for library in ("numba", "llvmlite", "numpy"):
        common.update(version(library).encode())
    bound: dict[str, Any] = sizes.copy()
    keys = {name: f"{name} {size}".encode() for name, size in sizes.items()}
    of_game = {"rules", *sizes}
    modules: list[ModuleType] = []
    for name, module in (sources | stems).items():
        key = common.copy()
        used = keys.keys() & vars(module).get("__annotations__", {}).keys()
        for one in sorted(used):
            key.update(keys[one])
        if used & of_game:
            of_game.add(name)
        key.update(hashlib.sha256(_source(module)).digest())
        keys[name] = key.digest()
        folder = f"{env_id if name in of_game else 'any'}-{name}-{key.hexdigest()[:16]}"
        path = _copied(_source(module), folder, f"{name}.py")
        modules.append(_imported(path, bound))
        bound[name] = modules[-1]
    if warm_up:
        with _locked(path.parent.parent):
            warm_up(*modules)
    return tuple(modules)


def _source(module: ModuleType) -> bytes:
    """The text of a module's file as it is now."""
    assert module.__file__ is not None
    return Path(module.__file__).read_bytes()


def _copied(source: bytes, folder_name: str, file_name: str) -> Path:
    """The copy of a source in the cache, made if it is not there; in a temporary folder where the cache can't be written."""
    try:
        path = cache_folder() / folder_name / file_name
        if not path.exists():
            write_bytes(path, source)
            _remove_unused(cache_folder())
        os.utime(path.parent)
    except OSError:
        path = Path(tempfile.gettempdir()) / f"cartridge-trainer-{os.getuid()}" / folder_name / file_name
        if not path.exists():
            write_bytes(path, source)
    return path


def _remove_unused(cache: Path) -> None:
    """Delete the folders of compiled code that no run has used for a month; what else lies there is not ours."""
    for folder in cache.glob("*-*-" + "[0-9a-f]" * 16):
        if folder.is_dir() and time.time() - folder.stat().st_mtime > KEEP_UNUSED_DAYS * 86400:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """One process at a time compiles; the others then find its work in the cache.

    One lock for all modules: compiling one also compiles what it calls in others, and Numba numbers the files of a module
    without looking whether another process does the same.
    """
    with open(cache / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _imported(path: Path, bound: dict[str, Any]) -> ModuleType:
    """Import a copy, bind what it uses, and wrap its functions by Numba (compiled at their first call)."""
    name = f"_compiled_{path.parent.name}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    for used in bound.keys() & vars(module).get("__annotations__", {}).keys():
        setattr(module, used, bound[used])
    # Without Numba's memory management a view of an array costs nothing; with it, two atomic operations.
    allocates = getattr(module, "ALLOCATES", False)
    inlined = getattr(module, "INLINED", False)
    options: dict[str, Any] = {
        **{"cache": True, "nogil": True, "error_model": "numpy"},
        **{"_nrt": allocates, "forceinline": inlined},
    }
    wrap = numba.njit(**options)
    for key, function in list(vars(module).items()):
        if isfunction(function) and function.__module__ == name:
            setattr(module, key, wrap(function))
    return module
