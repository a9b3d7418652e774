"""Arrays that are too large for Numba to keep the code that uses them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from trainer.compile.source import Source

log = logging.getLogger(__name__)

LARGEST_TABLE = 10**6
"""Bytes. Numba puts a larger array into compiled code by its address, and keeps no code that has addresses in it: see
`make_constant_array` in numba/core/base.py."""

_told: set[str] = set()
"""What this process has said about tables, or says in another way."""


def large_tables(
    source: Source, namespace: Mapping[str, Any], called: Collection[str] | None = None, logged: bool = False
) -> list[str]:
    """A sentence about each array of a module that is larger than LARGEST_TABLE, if compiled functions use it.

    `namespace`: the module's globals. `called`: see `Source.used_names`. The caller shows the sentences, and from then on
    they aren't logged any more; or, if `logged` is set, this logs them, once per process.
    """
    sizes = {name: max(sizes_in(value), default=0) for name, value in sorted(namespace.items())}
    large = {name: size for name, size in sizes.items() if size > LARGEST_TABLE}
    used = source.used_names(called) if large else set()
    texts = [
        f"{source.path}, line {source.line_of(name)}: {name} has {size:,} bytes. Numba keeps no compiled code that uses an "
        f"array of more than {LARGEST_TABLE:,}, so what uses it is compiled again at each start, for up to a minute. Give "
        "it a smaller type, such as np.int16 or np.uint8, or cut it in parts."
        for name, size in large.items()
        if name in used
    ]
    for text in texts:
        if logged and text not in _told:
            log.warning("%s", text)
        _told.add(text)
    return texts


def sizes_in(value: Any) -> Iterator[int]:
    """The bytes of each array in a value, which may be a tuple of arrays."""
    if isinstance(value, np.ndarray):
        yield value.nbytes
    elif isinstance(value, tuple):
        for each in value:
            yield from sizes_in(each)
