"""The library that multiplies matrices in a training step on the CPU: MKL or oneDNN, both parts of torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache

import torch

MANY_ROWS = 256
"""From this batch size on oneDNN is faster on AMD processors, of whose vector width MKL, torch's choice, uses half."""


def fast_products(rows: int, device: torch.device) -> AbstractContextManager[None]:
    """A block in which products of batches of `rows` rows are made by the faster library, as exactly as by the other."""
    return onednn() if device.type == "cpu" and rows >= MANY_ROWS and onednn_is_exact() else nullcontext()


@contextmanager
def onednn() -> Iterator[None]:
    """A block in which torch multiplies through oneDNN; afterwards all is as before."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@cache
def onednn_is_exact() -> bool:
    """Whether oneDNN multiplies float32 as such: on some processors it would round to bfloat16, thirds to 0.334."""
    thirds = torch.full((MANY_ROWS, MANY_ROWS), 1 / 3)
    with onednn():
        return torch.equal(torch.mm(thirds, torch.eye(MANY_ROWS)), thirds)
