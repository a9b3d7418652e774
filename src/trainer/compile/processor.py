"""The processor that kernels are compiled for."""

from __future__ import annotations

import numba
from llvmlite import binding


def processor_has(feature: str) -> bool:
    """Whether it has a feature, by LLVM's name for it.

    That is this machine's processor, unless NUMBA_CPU_NAME or NUMBA_CPU_FEATURES names another one. Of such a processor only
    the features listed there count. Of this machine's, Numba doesn't use those that begin with avx if NUMBA_ENABLE_AVX is 0,
    which is its own choice for some old processors.
    """
    name, listed = (getattr(numba.config, setting) for setting in ("CPU_NAME", "CPU_FEATURES"))
    if listed is not None:
        return f"+{feature}" in listed.split(",")
    if name not in (None, "host") or (feature.startswith("avx") and not getattr(numba.config, "ENABLE_AVX", True)):
        return False
    return bool(binding.get_host_cpu_features().get(feature))
