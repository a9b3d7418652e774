"""What training minimizes. B batch, A actions.

For an mlp or a conv on a CPU, `training/steps/heads.py` computes the same loss and its gradient by hand. Change both; a test
compares them. A loss of your own needs neither: see docs/own-network.md.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import log_softmax


class Loss(NamedTuple):
    """The loss of a batch and its two parts, each a scalar."""

    total: Tensor
    policy: Tensor
    value: Tensor


class MoverBatch(NamedTuple):
    """Stored positions and what they teach, from the side of the player to move. V numbers of a view."""

    view: Tensor
    """float32 [B, V], as `MoverView` makes it."""
    legal: Tensor
    """bool [B, A]."""
    policy_target: Tensor
    """float32 [B, A]: what search preferred; all zero in rows that have no policy target."""
    value_target: Tensor
    """float32 [B], from -1 to 1: the mover's result, mixed with the search's value as `--q-weight` says."""

    @property
    def policy(self) -> Tensor:
        """`policy_target` under the name that it had in earlier versions, whose runs keep the files of their losses."""
        return self.policy_target

    @property
    def value(self) -> Tensor:
        """`value_target` likewise."""
        return self.value_target


def alphazero_loss(logits: Tensor, value: Tensor, legal: Tensor, policy_target: Tensor, value_target: Tensor) -> Loss:
    """(z - v)^2 - sum_a pi_a log p_a, each averaged over the rows (AlphaZero; Silver et al. 2017, equation 1).

    value [B, 1] is v, value_target [B] is z; for the others see `policy_loss`.
    """
    policy_error = policy_loss(logits, legal, policy_target)
    value_error = (value_target - value[:, 0]).square().mean()
    return Loss(policy_error + value_error, policy_error, value_error)


def policy_loss(logits: Tensor, legal: Tensor, policy_target: Tensor) -> Tensor:
    """-sum_a pi_a log p_a, averaged over the rows that have a policy target.

    p is the softmax of logits [B, A] over the legal moves (bool [B, A]), pi is policy_target [B, A]. A row whose pi is all
    zero has no target.
    """
    log_p = log_softmax(logits.masked_fill(~legal, -torch.inf), dim=1).masked_fill(~legal, 0.0)
    targets = (policy_target.sum(dim=1) > 0).sum().clamp(min=1)
    return -(policy_target * log_p).sum() / targets
