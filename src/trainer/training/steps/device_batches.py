"""Batches unpacked on a device: the same numbers as `ReplayBuffer.unpacked` gives. B rows, A actions, K symmetries.

Rows stay in the machine's memory, where there is more of it. They are sent to the device packed: 52 bytes for a row of
Connect 4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainer.replay import Metadata, PackedBatch, SymmetryTables


class DeviceBatch(NamedTuple):
    """A batch on a device; the shapes are those of `trainer.replay.Batch`."""

    observation: Tensor
    legal: Tensor
    policy_target: Tensor
    value_target: Tensor


class Unpacker:
    """Unpacks batches of one game on one device."""

    def __init__(self, metadata: Metadata, symmetries: SymmetryTables, device: torch.device) -> None:
        """Send the tables of `symmetries` to `device`."""
        self._metadata = metadata
        self._device = device
        self._observations = torch.from_numpy(symmetries.observations.astype(np.int64)).to(device)
        self._actions = torch.from_numpy(symmetries.actions.astype(np.int64)).to(device)
        self._shifts = torch.arange(7, -1, -1, dtype=torch.uint8, device=device)

    def sent(self, batch: PackedBatch) -> tuple[Tensor, ...]:
        """The arrays of a batch on the device, in the order in which `unpack` takes them.

        Observations are uint8 [B, bytes] if they are bits, else float32 [B, obs_size]; policy targets float32 [B, A], or
        [B, packed_moves] for the legal moves; value targets float32 [B]; the symmetry of each row int64 [B].
        """
        value_target = batch.value_target.astype(np.float32, copy=False)
        arrays = (batch.observation, batch.policy_target, value_target, batch.symmetry)
        host = (torch.from_numpy(array) for array in arrays)
        if self._device.type != "cuda":  # the copy must be done before the array is freed
            return tuple(array.to(self._device) for array in host)
        return tuple(array.pin_memory().to(self._device, non_blocking=True) for array in host)

    def unpack(self, observation: Tensor, policy_target: Tensor, value_target: Tensor, symmetry: Tensor) -> DeviceBatch:
        """The rows of a batch that was `sent`, each through its symmetry."""
        meta = self._metadata
        if observation.dtype == torch.uint8:
            bits = (observation[:, :, None] >> self._shifts) & 1
            observation = bits.flatten(1)[:, : meta.obs_size].float()
        if meta.packed_moves:
            policy_target = self._spread(policy_target, self._legal(observation))
        seen = observation.gather(1, self._observations[symmetry])
        return DeviceBatch(seen, self._legal(seen), policy_target.gather(1, self._actions[symmetry]), value_target)

    def _legal(self, observation: Tensor) -> Tensor:
        """bool [B, A]"""
        first = self._metadata.legal_mask_offset
        return observation[:, first : first + self._metadata.num_actions] > 0.5

    def _spread(self, policy_target: Tensor, legal: Tensor) -> Tensor:
        """Policies [B, A] from those of the legal moves in ascending order, [B, M]."""
        place = legal.cumsum(dim=1).sub(1).clamp(min=0, max=policy_target.shape[1] - 1)
        return policy_target.gather(1, place).where(legal, 0.0)
