"""The kernel of the loss and of its gradient at a network's heads. B rows, A actions. Compiled by `gradient.py`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.sparse.network import Floats


def differentiate_heads(
    heads: Floats, legal: NDArray[np.bool_], policy_target: Floats, value_target: Floats, loss: Floats, deltas: Floats
) -> None:
    """`alphazero_loss` and its derivatives with respect to the heads' results.

    heads [B, at least A + 1]: the policy logits, then the value before its tanh. legal and policy_target (pi) [B, A],
    value_target (z) [B].
    Writes loss [3] (total, policy, value) and the first A + 1 columns of deltas [B, at least A + 1]: for logit a,
    (p_a sum(pi) - pi_a) / (rows with a policy target); for the value before its tanh, 2 (v - z) (1 - v^2) / B.
    """
    rows, actions = policy_target.shape
    targets = 0
    for row in range(rows):
        weight = 0.0
        for a in range(actions):
            weight += policy_target[row, a]
        targets += weight > 0
    of_policy, of_value = np.float32(1 / max(targets, 1)), np.float32(1 / rows)
    policy_loss = value_loss = 0.0
    for row in range(rows):
        largest = np.float32(-np.inf)
        for a in range(actions):
            if legal[row, a]:
                largest = max(largest, heads[row, a])
        total = weight = 0.0
        for a in range(actions):
            deltas[row, a] = np.exp(heads[row, a] - largest) if legal[row, a] else np.float32(0.0)
            total += deltas[row, a]
            weight += policy_target[row, a] if legal[row, a] else 0.0
        log_total = largest + np.log(total)
        for a in range(actions):
            if legal[row, a]:
                policy_loss -= policy_target[row, a] * (heads[row, a] - log_total)
                deltas[row, a] = (deltas[row, a] / total * weight - policy_target[row, a]) * of_policy
        value = np.tanh(heads[row, actions])
        error = value - value_target[row]
        value_loss += error * error
        deltas[row, actions] = 2 * error * (1 - value * value) * of_value
    loss[1], loss[2] = policy_loss * of_policy, value_loss * of_value
    loss[0] = loss[1] + loss[2]
