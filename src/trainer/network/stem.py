"""The convolution with which a conv network begins. B batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.games.layout import Layout
from trainer.network.planes import StonePlanes
from trainer.replay import Metadata


class ConvStem(nn.Module):
    """A convolution over the planes, flattened, with the rest of the view appended.

    A k x k kernel without padding covers whole lines of k stones, which a dense layer would have to learn place by place.
    Many filters before a narrow layer are worth more than few before a wide one (docs/log.md).
    """

    def __init__(self, game: Metadata, layout: Layout, filters: int, activation: nn.Module) -> None:
        super().__init__()
        self.board = StonePlanes(layout, channels_last=True)
        self.activation = activation
        side = min(layout.kernel_side, game.board_height, game.board_width)
        self.conv = nn.Conv2d(layout.planes, filters, side)
        places = (game.board_height - side + 1) * (game.board_width - side + 1)
        self.size = filters * places + layout.view_size - layout.board_numbers

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, view size] from `MoverView` to [B, size]."""
        features = self.activation(self.conv(self.board(view)))
        return torch.cat([features.flatten(1), view[:, self.board.size :]], dim=1)
