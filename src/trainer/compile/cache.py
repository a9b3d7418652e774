"""The folder where compiled code is kept between runs.

Each linked module has a folder of its own, named after the module and its key (see `linker.py`):

    <cache>/search.tree-08be.../tree.py       the text that was compiled
    <cache>/search.tree-08be.../depends.txt   everything that the key is made from, to see why something was compiled anew
    <cache>/search.tree-08be.../__pycache__/  the compiled functions, written by Numba
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.core.files import write_bytes
from trainer.core.locks import locked

KEEP_UNUSED_DAYS = 30
DEPENDS = "depends.txt"


def cache_folder() -> Path:
    """Where compiled code is kept: `$CARTRIDGE_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("CARTRIDGE_CACHE"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "cartridge-trainer"


def keep(name: str, file_name: str, text: bytes, depends: str) -> Path:
    """Make sure that the folder `name` of the cache has this text in it; returns the path of the text.

    If the cache can't be written, or lies on a file system without locks, a folder below the temporary one that belongs to
    this user alone is used instead. Raises ConfigError if that can't be written either.
    """
    try:
        return _keep(cache_folder(), name, file_name, text, depends)
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home folder
        first = error
    try:
        return _keep(_private_folder(), name, file_name, text, depends)
    except OSError as second:
        raise ConfigError(
            f"there is no folder for compiled code: the cache can't be written ({first}), nor can the temporary folder "
            f"({second}); set CARTRIDGE_CACHE to a folder that you can write"
        ) from second


def _keep(cache: Path, name: str, file_name: str, text: bytes, depends: str) -> Path:
    """`keep` in a certain cache. Raises OSError if it can't be written."""
    path = cache / name / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} is read-only")
    with locked(path):  # raises OSError where there are no locks
        if not path.exists():  # written only once: Numba forgets its index if the time of the text has changed
            write_bytes(path.parent / DEPENDS, depends.encode())
            write_bytes(path, text)
            _remove_unused(cache)
        os.utime(path.parent)  # it was used just now
    return path


def _private_folder() -> Path:
    """A folder below the temporary one. Raises OSError if it isn't this user's alone: loading compiled code runs it."""
    folder = Path(tempfile.gettempdir()) / f"cartridge-trainer-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} belongs to someone else, or others may write or read it")
    return folder


def _remove_unused(cache: Path) -> None:
    """Delete the folders of compiled code that no run has used for a month. Anything else in the cache is not ours."""
    for folder in cache.glob("*-" + "[0-9a-f]" * 16):
        with suppress(FileNotFoundError):  # another process has just removed it
            if (folder / DEPENDS).is_file() and time.time() - folder.stat().st_mtime > KEEP_UNUSED_DAYS * 86400:
                shutil.rmtree(folder, ignore_errors=True)
