"""The processor that kernels are compiled for."""

from __future__ import annotations

import numba
from llvmlite import binding


def processor_has(feature: str) -> bool:
    """Whether it has a feature, by LLVM's name for it.

    That is this machine's processor, unless NUMBA_CPU_NAME or NUMBA_CPU_FEATURES names another one. Of such a processor only
    the features listed there count.
    """
    name, listed = (getattr(numba.config, setting) for setting in ("CPU_NAME", "CPU_FEATURES"))
    if listed is not None:
        return f"+{feature}" in listed.split(",")
    return name in (None, "host") and bool(binding.get_host_cpu_features().get(feature))
