"""A tower of residual blocks, with or without a view of the whole board in each. B batch, A actions."""

from __future__ import annotations

from torch import Tensor, nn

from trainer.games.layout import Layout
from trainer.network.activation import ACTIVATIONS
from trainer.network.blocks import PooledBias, Residual, SqueezeExcite
from trainer.network.planes import AllPlanes
from trainer.settings.groups.network import NetworkSettings


class ResidualTower(nn.Module):
    """Residual blocks of 3 x 3 convolutions with a quarter of `width` channels, then a hidden layer, which also sees the
    legal moves: they may tell apart what looks the same, such as the two parts of a turn.

    The last convolution of each block starts with zero weights, so each block starts as the identity and the tower trains
    without normalization (Zhang, Dauphin and Ma 2019). The weights of the legal moves start with zero, too.
    """

    def __init__(self, layout: Layout, width: int, settings: NetworkSettings) -> None:
        """`settings` has the blocks, their pooling and what follows each layer."""
        super().__init__()
        channels, pooling = max(width // 4, 1), settings.pooling
        act = ACTIVATIONS[settings.activation]

        def convolution(inputs: int) -> nn.Conv2d:
            return nn.Conv2d(inputs, channels, 3, padding=1)

        blocks = []
        for _ in range(settings.blocks):
            last = convolution(channels)
            for weight in last.parameters():
                nn.init.zeros_(weight)
            before = [PooledBias(channels)] if pooling == "bias" else []
            after = [SqueezeExcite(channels)] if pooling == "squeeze" else []
            blocks.append(Residual(nn.Sequential(act(), convolution(channels), act(), *before, last, *after)))
        images = AllPlanes(layout, channels_last=True)
        first: nn.Module = images.board if images.planes == layout.planes else images
        self.tower = nn.Sequential(first, convolution(images.planes), *blocks, act(), nn.Flatten())
        self.dense = nn.Linear(channels * layout.cells, width)
        self.legal = (layout.legal_begin, layout.end)
        """Where the legal moves begin in a view, and where they end."""
        self.moves = nn.Linear(layout.num_actions, width)
        for weight in self.moves.parameters():
            nn.init.zeros_(weight)
        self.activation = act()

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, view size] from `MoverView` to [B, width]."""
        begin, end = self.legal
        seen: Tensor = self.dense(self.tower(view)) + self.moves(view[:, begin:end])
        return self.activation(seen)  # type: ignore[no-any-return]
