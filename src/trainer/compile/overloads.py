"""The compiled variants of one function on disk, one for each combination of argument types.

Numba's own store has two gaps that matter here. It identifies a NamedTuple argument by its class and the types of its
fields, so exchanging two fields of the same type would find code that reads the wrong one. And it numbers its files without
looking whether another process does the same, so two processes could leave an index that points to the other's code.
"""

from __future__ import annotations

import glob
import logging
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
from numba.core import types
from numba.core.caching import FunctionCache

from trainer.core.errors import KernelError
from trainer.core.locks import locked

log = logging.getLogger(__name__)


def require_known_store() -> None:
    """Raise KernelError if Numba's store doesn't ask the method that closes the first gap: it would be open unnoticed."""
    if not hasattr(FunctionCache, "_index_key"):
        raise KernelError(
            f"Numba {numba.__version__} keeps compiled code in another way than this program knows; install the version "
            "that constraints.txt names"
        )


require_known_store()


class Overloads(FunctionCache):
    """Numba's store of one function's compiled variants, without those gaps. A damaged file is compiled anew."""

    def __init__(self, function: FunctionType, uncached: bool = False) -> None:
        """`uncached`: the function may use an array that is too large, which was said before (see `tables.py`)."""
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._uncached = uncached

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The variant for a signature; None if there is none."""
        try:
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # a damaged file, or one that names a class which is gone, may raise anything
            log.warning("compiling again what can't be read in %s (%s)", self.cache_path, error)
            self._clear()
            return None
        if found is None and not self._uncached:
            explain_wait()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Add the variant for a signature."""
        if self._uncached and data.library.has_dynamic_globals:
            return  # Numba would only warn, once per variant
        with self._locked():
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]

    def _clear(self) -> None:
        """Remove all variants.

        Their files, too: Numba counts from 1 again, and writes the index before the file. If the file of an earlier variant
        were still there, another process could find that one by the new key.
        """
        with self._locked():
            self.flush()  # type: ignore[no-untyped-call]
            for file in Path(self.cache_path).glob(f"{glob.escape(self._impl.filename_base)}.*.nbc"):
                file.unlink(missing_ok=True)

    def _locked(self) -> AbstractContextManager[None]:
        return locked(Path(self.cache_path) / "overloads")

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        arguments = sig if isinstance(sig, tuple) else sig.args
        numbas_key = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]
        return (*numbas_key, tuple(named_fields(arguments)))


@cache
def explain_wait() -> None:
    """Say once per process, to a person at a terminal, why nothing happens."""
    if sys.stderr.isatty():
        print("compiling for this processor; later runs use what is compiled now", file=sys.stderr, flush=True)


@cache
def explain_lock() -> None:
    """Say once per process, to a person at a terminal, that another process compiles the same."""
    if sys.stderr.isatty():
        print("waiting for another process that compiles or loads the same", file=sys.stderr, flush=True)


def named_fields(kinds: Any) -> Iterator[tuple[str, ...]]:
    """The field names of each NamedTuple among some types, and of those within it."""
    for kind in kinds:
        if isinstance(kind, types.BaseTuple):
            yield tuple(getattr(kind, "fields", ()))
            yield from named_fields(kind)
