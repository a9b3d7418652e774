"""A batch of training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Batch:
    """Training rows. Values are for the mover; all else is absolute, as in the game. B rows, A actions."""

    observation: NDArray[np.float32]
    """[B, obs_size]"""
    legal: NDArray[np.bool_]
    """[B, A] True = may be played."""
    policy_target: NDArray[np.float32]
    """[B, A] what search preferred; sums to 1 and is zero where not legal, or all zero in a row without a target."""
    value_target: NDArray[np.float32]
    """[B] +1 mover won, 0 draw, -1 mover lost, or in between if mixed with the search's value (`buffer.value_target`)."""

    @property
    def target_entropy(self) -> float:
        """Mean entropy of the policy targets over the rows that have one, in nats: the least that the policy loss can be."""
        probabilities = self.policy_target[self.policy_target > 0]
        rows = int((self.policy_target.sum(axis=1) > 0).sum())
        return float(-(probabilities * np.log(probabilities)).sum() / max(rows, 1))


@dataclass(frozen=True)
class PackedBatch:
    """The same rows as they are stored, to be unpacked where they are used: of Connect 4, an eighth of the bytes."""

    observation: NDArray[Any]
    """uint8 [B, bytes], as `numpy.packbits` packs them; float32 [B, obs_size] if there are other numbers than 0 and 1."""
    policy_target: NDArray[np.float32]
    """[B, A], or [B, M] for the legal moves alone (see `packing.py`)."""
    value_target: NDArray[np.float32]
    """[B]"""
    symmetry: NDArray[np.int64]
    """[B] number of the symmetry through which each row is seen."""
