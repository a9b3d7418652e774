"""Kernels that write stored rows into a batch, each through its symmetry. B rows of a batch, K symmetries, W columns.

Compiled by `kernels.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ALLOCATES = True


def spread_bits(
    packed: NDArray[np.uint8], table: NDArray[np.int32], chosen: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """out[b, i] = bit table[chosen[b], i] of packed[b], as 0.0 or 1.0.

    packed [B, bytes], the first bit of a byte being its highest, as in `numpy.packbits`; table [K, W]; chosen [B]
    symmetries; out [B, W].
    """
    bits = np.empty(8 * packed.shape[1], np.float32)
    for row in range(out.shape[0]):
        stored, columns = packed[row], table[chosen[row]]
        for byte in range(len(stored)):
            for bit in range(8):
                bits[8 * byte + bit] = (stored[byte] >> np.uint8(7 - bit)) & np.uint8(1)
        for i in range(len(columns)):
            out[row, i] = bits[np.uint32(columns[i])]  # an unsigned index, so Numba doesn't check for negative ones


def spread_floats(
    values: NDArray[np.float32], table: NDArray[np.int32], chosen: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """out[b, i] = values[b, table[chosen[b], i]]; values and out [B, W], table [K, W], chosen [B] symmetries."""
    for row in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[row, i] = values[row, table[chosen[row], i]]
