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
