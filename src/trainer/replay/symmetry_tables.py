"""A game's symmetries, as index tables over stored rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.replay.database.metadata import Metadata


@dataclass(frozen=True)
class SymmetryTables:
    """K symmetries: an array seen through symmetry k is `array[table[k]]`."""

    observations: NDArray[np.int32]
    """[K, obs_size]"""
    actions: NDArray[np.int32]
    """[K, A]"""

    @classmethod
    def identity(cls, metadata: Metadata) -> SymmetryTables:
        """The identity alone: rows are seen as they are stored."""
        return cls(
            np.arange(metadata.obs_size, dtype=np.int32)[None], np.arange(metadata.num_actions, dtype=np.int32)[None]
        )
