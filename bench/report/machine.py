"""The machine and the versions that were measured; nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
import subprocess

from trainer.run.provenance import commit, processor, version_of

COMMIT = "BENCH_COMMIT"
"""The environment variable with the commit of sources that were copied without their history."""
LIBRARIES = ("numpy", "numba", "onnxruntime", "torch", "jax", "mctx", "pgx", "open_spiel", "ray")


def describe_machine() -> dict[str, str]:
    """Commit, processor and cores, memory, system, how many cores are busy now, versions. What is unknown is left out."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    known = {
        "commit": commit() or os.environ.get(COMMIT, ""),
        "cpu": processor(),
        "gpu": gpu(),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "busy at the start": f"{os.getloadavg()[0]:.1f} cores",
        "python": platform.python_version(),
        **{name: version_of(name) or "" for name in LIBRARIES},
    }
    return {name: value for name, value in known.items() if value}


def gpu() -> str:
    """The names of the NVIDIA GPUs, empty if there are none."""
    try:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ", ".join(done.stdout.split("\n")).strip(", ") if done.returncode == 0 else ""
