"""The machine that was measured: its kind and its versions, nothing that says whose it is."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llvmlite.binding import get_host_cpu_name

LIBRARIES = ("numpy", "numba", "onnxruntime", "torch", "jax", "mctx", "pgx", "open_spiel")


def describe_machine() -> dict[str, str]:
    """CPU, cores, memory, system and versions; how many cores other work keeps busy at the moment."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = {name: found for name in LIBRARIES if (found := installed(name))}
    return {
        "cpu": cpu_model(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "busy at the start": f"{os.getloadavg()[0]:.1f} cores",
        "python": platform.python_version(),
        **libraries,
    }


def cpu_model() -> str:
    """The name of the processor, as far as the system tells it, and its generation as LLVM names it."""
    names = []
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} ({get_host_cpu_name()})"


def installed(library: str) -> str:
    """The version of a library, empty where it isn't there."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
