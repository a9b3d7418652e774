"""Kernels that keep policies: one number for each action, or for each legal move if few actions are legal. A actions.

Compiled for each game by `trainer.games.kernels`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import Mask

NUM_ACTIONS: int
FEW_LEGAL: bool

INLINED = True

Policy = NDArray[np.float32]


def keep(policy: Policy, legal: Mask, kept: Policy) -> None:
    """Write a policy [A], zero where not `legal` [A], in the form in which it is kept, [`Game.policy_size`]."""
    at = 0
    for action in range(NUM_ACTIONS):
        if FEW_LEGAL:  # without a branch on `legal`: the number of an illegal action is overwritten by the next
            kept[at] = policy[action]
            at += legal[action]
        else:
            kept[action] = policy[action]


def unpack(kept: Policy, legal: Mask, policy: Policy) -> None:
    """The inverse, if few actions are legal: write the policy [A]."""
    at = 0
    for action in range(NUM_ACTIONS):
        policy[action] = kept[at] if legal[action] else np.float32(0.0)
        at += legal[action]
