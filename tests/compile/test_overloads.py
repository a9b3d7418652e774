"""The compiled variants of one function on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from numba.core import caching
from registering import rules_in

from trainer.compile.linker import link
from trainer.compile.overloads import require_known_store
from trainer.core.errors import KernelError


def test_a_damaged_index_leaves_no_file_of_an_earlier_variant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Files are numbered from 1 again, and the index is written first: it would name the code for other types until the new
    file is there. Files of other functions stay."""
    monkeypatch.setenv("CARTRIDGE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "variants.py"
    path.write_text("def same(number):\n    return number\n\ndef same_too(number):\n    return number\n")
    variants = link(rules_in(path)).variants
    assert (variants.same(1), variants.same(1.5), variants.same_too(1)) == (1, 1.5, 1)

    def kept(function: str) -> list[str]:
        return sorted(file.suffixes[-2] for file in tmp_path.glob(f"cache/*/__pycache__/variants.{function}-*.nbc"))

    assert (kept("same"), kept("same_too")) == ([".1", ".2"], [".1"])
    (index,) = tmp_path.glob("cache/*/__pycache__/variants.same-*.nbi")
    index.write_bytes(b"")
    assert variants.same(1j) == 1j
    assert (kept("same"), kept("same_too")) == ([".1"], [".1"])
    assert [record.getMessage()[:34] for record in caplog.records] == ["compiling again what can't be read"]


def test_a_numba_that_stores_in_another_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the fields of named tuples would silently be no part of the key."""
    require_known_store()
    monkeypatch.delattr(caching.Cache, "_index_key")
    with pytest.raises(KernelError, match=r"Numba [\d.]+ keeps compiled code in another way .* constraints\.txt"):
        require_known_store()
