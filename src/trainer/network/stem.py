"""The convolutions with which a conv network begins. B batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.games.layout import Layout
from trainer.network.planes import StonePlanes
from trainer.replay import Metadata


class ConvStem(nn.Module):
    """Convolutions over the planes, flattened one after the other, with the rest of the view appended.

    A k x k kernel without padding covers whole lines of k stones, which a dense layer would have to learn place by place.
    Many filters before a narrow layer are worth more than few before a wide one (docs/log.md). With `lines`, two more
    convolutions have kernels as large as a row and a column of the board.
    """

    def __init__(self, game: Metadata, layout: Layout, filters: int, activation: nn.Module, lines: int = 0) -> None:
        """`filters` of k x k cells; `lines` filters for rows, and as many for columns."""
        super().__init__()
        self.board = StonePlanes(layout, channels_last=True)
        self.activation = activation
        height, width = game.board_height, game.board_width
        side = min(layout.kernel_side, height, width)
        self.conv = nn.Conv2d(layout.planes, filters, side)
        self.rows = nn.Conv2d(layout.planes, lines, (1, width)) if lines else None
        self.columns = nn.Conv2d(layout.planes, lines, (height, 1)) if lines else None
        self.size = layout.view_size - layout.board_numbers
        for conv in self.convolutions.values():
            self.size += conv.out_channels * self.places(conv)

    @property
    def convolutions(self) -> dict[str, nn.Conv2d]:
        """By their names, in the order of their results."""
        return {name: module for name, module in self.named_children() if isinstance(module, nn.Conv2d)}

    def places(self, conv: nn.Conv2d) -> int:
        """At how many places of the board the kernel of a convolution fits."""
        _, height, width = self.board.shape
        return (height - conv.kernel_size[0] + 1) * (width - conv.kernel_size[1] + 1)

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, view size] from `MoverView` to [B, size]."""
        board = self.board(view)
        features = [self.activation(conv(board)).flatten(1) for conv in self.convolutions.values()]
        return torch.cat([*features, view[:, self.board.size :]], dim=1)
