"""The features of the processor that kernels are compiled for."""

from __future__ import annotations

import numba
import pytest
from llvmlite import binding

from trainer.compile.processor import processor_has


@pytest.mark.parametrize(
    ("name", "listed", "found"),
    [
        (None, None, (True, False)),
        ("host", None, (True, False)),
        ("x86-64", None, (False, False)),
        (None, "-fast,+wide", (False, True)),
        ("x86-64", "+fast,-wide", (True, False)),
    ],
)
def test_features_of_the_host_count_unless_another_processor_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str | None, listed: str | None, found: tuple[bool, bool]
) -> None:
    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: {"fast": True, "wide": False})
    monkeypatch.setattr(numba.config, "CPU_NAME", name)
    monkeypatch.setattr(numba.config, "CPU_FEATURES", listed)
    assert (processor_has("fast"), processor_has("wide")) == found


@pytest.mark.parametrize(("enabled", "listed", "found"), [(1, None, True), (0, None, False), (0, "+avx2", True)])
def test_avx_does_not_count_where_numba_does_not_use_it(
    monkeypatch: pytest.MonkeyPatch, enabled: int, listed: str | None, found: bool
) -> None:
    """NUMBA_ENABLE_AVX is about the features of this machine; those that are listed are used in any case."""
    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: {"avx2": True, "fma": True})
    monkeypatch.setattr(numba.config, "CPU_NAME", None)
    monkeypatch.setattr(numba.config, "CPU_FEATURES", listed)
    monkeypatch.setattr(numba.config, "ENABLE_AVX", enabled)
    assert processor_has("avx2") == found
    assert processor_has("fma") == (listed is None)
