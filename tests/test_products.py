"""The faster library multiplies as exactly as the other, and only where it is asked to."""

from __future__ import annotations

import pytest
import torch

from trainer import products
from trainer.products import MANY_ROWS, fast_products, onednn

CPU = torch.device("cpu")


@pytest.mark.parametrize("shape", [(1024, 91, 256), (256, 1024, 91), (1024, 128, 8)])
def test_large_products_are_float32(shape: tuple[int, int, int]) -> None:
    """To 1e-6 of the largest entry of what float64 gives; bfloat16 would be off by 1e-3."""
    rows, inner, columns = shape
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(rows, inner, generator=generator), torch.randn(inner, columns, generator=generator)
    with fast_products(rows, CPU):
        found = left @ right
    expected = left.double() @ right.double()
    assert (found - expected).abs().max() < 2e-6 * expected.abs().max()


def test_outside_of_the_block_all_is_as_before() -> None:
    """What else is multiplied, as by the check of an exported model, goes torch's way; also after an error."""

    def fail_within() -> None:
        with onednn():
            assert torch.get_float32_matmul_precision() == "medium"
            raise KeyError

    before = torch.get_float32_matmul_precision()
    with pytest.raises(KeyError):
        fail_within()
    assert torch.get_float32_matmul_precision() == before


def test_where_it_would_round_or_gain_nothing_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small batch, a GPU (which rounds at that setting), a processor that rounds."""
    before = torch.get_float32_matmul_precision()
    monkeypatch.setattr(products, "onednn_is_exact", lambda: True)
    for rows, device in ((MANY_ROWS - 1, CPU), (MANY_ROWS, torch.device("cuda"))):
        with fast_products(rows, device):
            assert torch.get_float32_matmul_precision() == before
    with fast_products(MANY_ROWS, CPU):
        assert torch.get_float32_matmul_precision() != before
    monkeypatch.setattr(products, "onednn_is_exact", lambda: False)
    with fast_products(MANY_ROWS, CPU):
        assert torch.get_float32_matmul_precision() == before
