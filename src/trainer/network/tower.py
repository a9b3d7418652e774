"""A tower of residual blocks, with or without a view of the whole board in each. B batch, C channels, H x W cells."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.games.layout import Layout
from trainer.network.activation import ACTIVATIONS
from trainer.network.planes import AllPlanes
from trainer.settings.groups.learning import Activation, Pooling

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


def residual_tower(
    layout: Layout,
    channels: int,
    width: int,
    blocks: int,
    pooling: Pooling = "none",
    activation: Activation = "relu",
) -> nn.Sequential:
    """Residual blocks of 3 x 3 convolutions, then a hidden layer: [B, view size] to [B, width].

    The last convolution of each block starts with zero weights, so each block starts as the identity and the tower trains
    without normalization (Zhang, Dauphin and Ma 2019).
    """
    act = ACTIVATIONS[activation]

    def convolution(inputs: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, channels, 3, padding=1)

    tower = []
    for _ in range(blocks):
        last = convolution(channels)
        for weight in last.parameters():
            nn.init.zeros_(weight)
        before = [PooledBias(channels)] if pooling == "bias" else []
        after = [SqueezeExcite(channels)] if pooling == "squeeze" else []
        tower.append(Residual(nn.Sequential(act(), convolution(channels), act(), *before, last, *after)))
    images = AllPlanes(layout, channels_last=True)
    first: nn.Module = images.board if images.planes == layout.planes else images
    dense = nn.Linear(channels * layout.cells, width)
    return nn.Sequential(first, convolution(images.planes), *tower, act(), nn.Flatten(), dense, act())
