"""A game's symmetries, as ways to view a stored row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.replay.database import Metadata


@dataclass(frozen=True)
class Views:
    """K views of a row, as index tables: view k of an array is `array[table[k]]`."""

    observations: NDArray[np.int32]
    """[K, obs_size]"""
    actions: NDArray[np.int32]
    """[K, A]"""

    @classmethod
    def identity(cls, metadata: Metadata) -> Views:
        """One view: the row as it is stored."""
        return cls(
            np.arange(metadata.obs_size, dtype=np.int32)[None], np.arange(metadata.num_actions, dtype=np.int32)[None]
        )
