"""Images of a view. B batch, P planes, H x W cells."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from trainer.games.layout import Layout


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
        return channels_last_on_gpu(images) if self.channels_last else images


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
        return channels_last_on_gpu(joined) if self.board.channels_last else joined


def channels_last_on_gpu(images: Tensor) -> Tensor:
    """Images in the memory layout that convolutions are fastest with: on an NVIDIA GPU, a point's channels together."""
    return images.contiguous(memory_format=torch.channels_last) if images.is_cuda else images
