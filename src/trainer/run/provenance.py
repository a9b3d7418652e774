"""What a result was made with: the commit, the processor, the versions of the libraries."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import trainer
from trainer.core.processes import available_cores

LIBRARIES = ("torch", "numpy", "numba", "onnx", "onnxruntime")


def versions() -> dict[str, str | None]:
    """The versions that a result may depend on; None for a library that is not installed."""
    found: dict[str, str | None] = {"trainer": trainer.__version__, "python": platform.python_version()}
    return found | {library: version_of(library) for library in LIBRARIES}


def version_of(library: str) -> str | None:
    """The version of an installed library; None if it is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """The Git commit of this package's sources, with "+" if files were changed since; None if it isn't a checkout."""
    here = Path(__file__).parent.parent
    git = ["git", "-C", str(here)]
    try:
        subprocess.run(
            [*git, "ls-files", "--error-unmatch", "__init__.py"], check=True, capture_output=True, timeout=10
        )
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True, timeout=10
        ).stdout
        changed = subprocess.run(
            [*git, "status", "--porcelain", "."], capture_output=True, text=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return head.strip() + ("+" if changed else "")


def processor() -> str:
    """The processor's name, what LLVM calls its kind, and the number of logical cores of this machine."""
    from llvmlite.binding import get_host_cpu_name  # takes a moment to import

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name} ({get_host_cpu_name()}), {available_cores()} cores"
