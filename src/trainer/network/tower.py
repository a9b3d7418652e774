"""A tower of residual blocks, with or without a view of the whole board in each. B batch."""

from __future__ import annotations

from torch import nn

from trainer.games.layout import Layout
from trainer.network.activation import ACTIVATIONS
from trainer.network.blocks import PooledBias, Residual, SqueezeExcite
from trainer.network.planes import AllPlanes
from trainer.settings.groups.network import NetworkSettings


def residual_tower(layout: Layout, width: int, settings: NetworkSettings) -> nn.Sequential:
    """Residual blocks of 3 x 3 convolutions with a quarter of `width` channels, then a hidden layer: [B, view size] to
    [B, width]. `settings` has the blocks, their pooling and what follows each layer.

    The last convolution of each block starts with zero weights, so each block starts as the identity and the tower trains
    without normalization (Zhang, Dauphin and Ma 2019).
    """
    channels, pooling = max(width // 4, 1), settings.pooling
    act = ACTIVATIONS[settings.activation]

    def convolution(inputs: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, channels, 3, padding=1)

    tower = []
    for _ in range(settings.blocks):
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
