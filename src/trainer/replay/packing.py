"""The packed form of large rows: observations as bits, and the policy of the legal moves alone.

Bits are in the order of `numpy.packbits`. The policy has one float32 for each legal move in ascending order, and zeros up to
the most legal moves that a position can have. The legal moves are in the observation, so their numbers need not be stored.
N rows, A actions, M most legal moves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.replay.database.metadata import Metadata


def packed_policies(policy: NDArray[np.float32], legal: NDArray[np.bool_], moves: int) -> NDArray[np.float32]:
    """[N, M = `moves`] from policies [N, A] that are zero where not `legal` [N, A]."""
    packed = np.zeros((len(policy), moves), np.float32)
    packed[places(legal, moves)] = policy[legal]
    return packed


def unpacked_policies(packed: NDArray[np.float32], legal: NDArray[np.bool_]) -> NDArray[np.float32]:
    """[N, A] from [N, M]; the inverse of `packed_policies`."""
    policy = np.zeros(legal.shape, np.float32)
    policy[legal] = packed[places(legal, packed.shape[1])]
    return policy


def packed_rows(policy: NDArray[np.float32], observation: NDArray[np.float32], meta: Metadata) -> NDArray[np.float32]:
    """Policies [N, A] as they are kept, given the observations [N, obs_size]: packed, if the game's rows are."""
    return packed_policies(policy, legal_in(observation, meta), meta.packed_moves) if meta.packed_moves else policy


def unpacked(policy: NDArray[np.float32], observation: NDArray[Any], meta: Metadata) -> NDArray[np.float32]:
    """The inverse of `packed_rows`; the observations [N, bytes or obs_size] may be packed."""
    if not meta.packed_moves:
        return policy
    return unpacked_policies(policy, legal_in(as_numbers(observation, meta), meta))


def legal_in(observation: NDArray[np.float32], meta: Metadata) -> NDArray[np.bool_]:
    """bool [N, A]: the legal moves in observations [N, obs_size]."""
    return observation[:, meta.legal_mask_offset : meta.legal_mask_offset + meta.num_actions] > 0.5


def as_numbers(observation: NDArray[Any], meta: Metadata) -> NDArray[np.float32]:
    """float32 [N, obs_size] from observations that may be packed."""
    return unpacked_observations(observation, meta.obs_size) if observation.dtype == np.uint8 else observation


def places(legal: NDArray[np.bool_], moves: int) -> NDArray[np.bool_]:
    """bool [N, M]: the places that the legal moves of each row take."""
    taken: NDArray[np.bool_] = np.arange(moves) < legal.sum(axis=1, keepdims=True)
    return taken


def packed_width(obs_size: int) -> int:
    """The bytes of a packed observation."""
    return (obs_size + 7) // 8


def packed_observations(observations: NDArray[np.float32]) -> NDArray[np.uint8]:
    """[N, bytes] from observations [N, obs_size] of zeros and ones."""
    return np.packbits(observations.astype(np.bool_), axis=1)


def unpacked_observations(packed: NDArray[np.uint8], obs_size: int) -> NDArray[np.float32]:
    """[N, obs_size] from [N, bytes]."""
    return np.unpackbits(packed, axis=1, count=obs_size).astype(np.float32)
