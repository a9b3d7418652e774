"""The compiled kernels of stored games. Each module is linked when it is first needed, and once per process."""

from __future__ import annotations

from functools import cache

import numpy as np

from trainer.compile.linker import Linked, link
from trainer.replay import hash_table, spread


@cache
def spread_kernels() -> Linked:
    """`spread.py`, compiled."""
    return link(spread, warm_up=_warm_up_spread)


@cache
def table_kernels() -> Linked:
    """`hash_table.py`, compiled."""
    return link(hash_table, warm_up=_warm_up_table)


def _warm_up_spread(linked: Linked) -> None:
    """Call each kernel once, without a row."""
    table, chosen, out = np.zeros((1, 1), np.int32), np.zeros(0, np.int64), np.zeros((0, 1), np.float32)
    linked.spread.spread_bits(np.zeros((0, 1), np.uint8), table, chosen, out)
    linked.spread.spread_floats(out, table, chosen, out)


def _warm_up_table(linked: Linked) -> None:
    """Call each kernel once, without a row."""
    keys, counts = np.zeros(1, np.uint64), np.zeros(1, np.int32)
    words, stored = np.zeros((0, 1), np.uint32), np.zeros((0, 1), np.uint32)
    # To Numba another type: rows are views of the bytes that SQLite returned, unless they are packed.
    stored.flags.writeable = False
    linked.hash_table.mix(words, keys[:0])
    linked.hash_table.mix(stored, keys[:0])
    linked.hash_table.change(keys, counts, keys[:0], 1)
    linked.hash_table.look_up(keys, counts, keys[:0], counts[:0])
