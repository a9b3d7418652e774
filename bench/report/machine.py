"""The machine and the versions that were measured; nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llvmlite.binding import get_host_cpu_name

from bench.report.commit import commit_of

LIBRARIES = ("numpy", "numba", "onnxruntime", "torch", "jax", "mctx", "pgx", "open_spiel")


def describe_machine() -> dict[str, str]:
    """Commit, CPU, cores, memory, system, how many cores are busy now, and versions. What is unknown is left out."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    known = {
        "commit": commit_of(),
        "cpu": cpu_model(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "busy at the start": f"{os.getloadavg()[0]:.1f} cores",
        "python": platform.python_version(),
        **{name: version_of(name) for name in LIBRARIES},
    }
    return {name: value for name, value in known.items() if value}


def cpu_model() -> str:
    """The processor's name as the system gives it, and its generation as LLVM names it."""
    names = []
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} ({get_host_cpu_name()})"


def version_of(library: str) -> str:
    """The version of an installed library, empty if it is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
