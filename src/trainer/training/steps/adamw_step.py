"""The kernels of an AdamW step. N numbers. Compiled by `adamw.py`."""

from __future__ import annotations

import numpy as np

from trainer.sparse.network import Floats

FASTMATH = ("reassoc",)

NEGLIGIBLE = np.float32(1e-30)
"""A smaller mean or variance becomes 0. Those of a unit that is never active shrink with every step, until they are
subnormal numbers, with which some processors compute a hundred times more slowly."""


def adamw(
    weights: Floats,
    gradient: Floats,
    mean: Floats,
    variance: Floats,
    step: float,
    grad_clip: float,
    learning_rate: float,
    weight_decay: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Step number `step`, counted from 1, of AdamW (Loshchilov and Hutter 2019, algorithm 2). All arrays are [N].

    If the gradient's norm is larger than `grad_clip`, the gradient is scaled down to it.
    """
    squares = 0.0
    for i in range(len(gradient)):
        squares += np.float64(gradient[i]) ** 2
    scale = np.float32(min(grad_clip / (np.sqrt(squares) + 1e-6), 1.0))
    rate = np.float32(learning_rate / (1 - beta1**step))
    correction = np.float32(1 / np.sqrt(1 - beta2**step))
    decay = np.float32(1 - learning_rate * weight_decay)
    new1, new2, least = np.float32(1 - beta1), np.float32(1 - beta2), np.float32(eps)
    for i in range(len(weights)):
        derivative = gradient[i] * scale
        first = mean[i] + new1 * (derivative - mean[i])
        second = variance[i] + new2 * (derivative * derivative - variance[i])
        mean[i] = np.float32(0.0) if abs(first) <= NEGLIGIBLE else first  # asked so that NaN stays NaN
        variance[i] = np.float32(0.0) if second <= NEGLIGIBLE else second
        weights[i] = weights[i] * decay - rate * mean[i] / (np.sqrt(variance[i]) * correction + least)


def approach(average: Floats, weights: Floats, share: float) -> None:
    """Move each number of `average` [N] by a share of its distance towards that of `weights` [N]."""
    part = np.float32(share)
    for i in range(len(average)):
        average[i] += part * (weights[i] - average[i])
