"""Images of a view, and a convolution over them. B batch, P planes, H x W cells."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from trainer.games.layout import Layout
from trainer.replay import Metadata


class StonePlanes(nn.Module):
    """Reshapes the planes of a view into images."""

    def __init__(self, layout: Layout, channels_last: bool = False) -> None:
        """`channels_last`: on a GPU, in the memory layout that convolutions are fastest with."""
        super().__init__()
        self.channels_last = channels_last
        self.shape = (layout.planes, layout.height, layout.width)
        self.size = math.prod(self.shape)

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, size] from `MoverView` to [B, P, H, W]; drops what follows the planes."""
        images = view[:, : self.size].reshape(-1, *self.shape)
        return laid_out(images) if self.channels_last else images


class AllPlanes(nn.Module):
    """Reshapes the planes of a view into images, and adds an image for each further number but the legal moves."""

    def __init__(self, layout: Layout, channels_last: bool = False) -> None:
        """`channels_last`: on a GPU, in the memory layout that convolutions are fastest with."""
        super().__init__()
        self.board = StonePlanes(layout, channels_last)
        begin, moves = layout.board_numbers + layout.features, layout.num_actions
        self.spans = ((layout.board_numbers, begin), (begin + moves, layout.view_size))
        """The features, and the seat flags if the network sees them."""
        self.planes = layout.planes + sum(end - start for start, end in self.spans)

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, size] from `MoverView` to [B, planes, H, W]."""
        board: Tensor = self.board(view)
        images = [board]
        for start, end in self.spans:
            if end > start:
                images.append(view[:, start:end, None, None] * torch.ones_like(board[:1, :1]))
        if len(images) == 1:
            return images[0]
        joined = torch.cat(images, dim=1)
        return laid_out(joined) if self.board.channels_last else joined


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


def laid_out(images: Tensor) -> Tensor:
    """Images in the memory layout that convolutions are fastest with: on an NVIDIA GPU, a point's channels together."""
    return images.contiguous(memory_format=torch.channels_last) if images.is_cuda else images
