"""What residual blocks are made of. B batch, C channels, H x W cells."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SQUEEZED = 4
"""Channels of a block for each number that squeeze-and-excitation keeps of them."""


class Residual(nn.Module):
    """x + f(x) (He et al. 2015)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, features: Tensor) -> Tensor:
        """[B, ...] to the same shape"""
        return features + self.inner(features)  # type: ignore[no-any-return]


class SqueezeExcite(nn.Module):
    """Scales each channel by what the means of all channels say (squeeze-and-excitation; Hu, Shen and Sun 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // SQUEEZED, 1)
        self.squeeze, self.excite = nn.Linear(channels, inner), nn.Linear(inner, channels)

    def forward(self, features: Tensor) -> Tensor:
        """[B, C, H, W] to the same shape"""
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(features.mean(dim=(2, 3))))))
        return features * scale[:, :, None, None]


class PooledBias(nn.Module):
    """Adds to each channel what the means and the maxima of all channels say (global pooling; Wu 2019, KataGo)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Linear(2 * channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """[B, C, H, W] to the same shape"""
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        bias: Tensor = self.bias(pooled)
        return features + bias[:, :, None, None]
