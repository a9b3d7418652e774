"""Processes of this machine, and the cores they may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.core.processes import available_cores

COUNT = "from trainer.core.processes import available_cores; print(available_cores())"
LOOP = "from trainer.settings.loop import LoopConfig; print(LoopConfig.threads)"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinities")
@pytest.mark.parametrize("program", [COUNT, LOOP])
def test_a_process_bound_to_one_core_has_one(program: str) -> None:
    """As `taskset -c 0` binds it; the loop then plays on one thread."""
    core = min(os.sched_getaffinity(0))

    def bind() -> None:
        os.sched_setaffinity(0, {core})

    done = subprocess.run([sys.executable, "-c", program], preexec_fn=bind, capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("190000 100000", 1),
        ("max 100000", None),
        ("", None),
        ("1 0", None),
    ],
)
def test_a_containers_limit_counts(tmp_path: Path, quota: str, cores: int | None) -> None:
    """Half a core is one, and so are nearly two; no limit, or a file of another kind, leaves all cores."""
    path = tmp_path / "cpu.max"
    path.write_text(quota)
    assert available_cores(path) == (cores or available_cores(tmp_path / "missing"))
