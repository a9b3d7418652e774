"""The mover's side of an observation. B batch, A actions.

Observations are absolute, as in the replay database. The network looks at the board from the mover's side: it exchanges the
players when the second one moves and drops the seat flags. In most games that swaps the planes of the first and the second
player's stones. Everything it learns about one seat therefore also applies to the other. In a game whose players can't be
exchanged it sees the seat flags instead.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.games.layout import Layout
from trainer.replay import Metadata


class MoverView(nn.Module):
    """Turns an observation into the mover's view: its numbers without the seat flags, as if the mover were first."""

    _exchange: Tensor
    _actions: Tensor

    def __init__(self, game: Metadata, layout: Layout | None) -> None:
        """`layout` None: it is unknown, so an observation is its own view."""
        super().__init__()
        self.layout = layout
        self.exchange = None if layout is None else layout.exchange
        self.swaps = layout is not None and layout.swaps_planes
        self.cells = layout.cells if layout else 0
        self.end = layout.end if layout else game.obs_size
        self.size = layout.view_size if layout else game.obs_size
        self.actions = layout.actions if layout and self.exchange is not None else None
        for name, table in (("_exchange", self.exchange), ("_actions", self.actions)):
            index = None if table is None else torch.from_numpy(table)
            self.register_buffer(name, index, persistent=False)  # it moves to a device with the weights

    def forward(self, observation: Tensor) -> Tensor:
        """float32 [B, obs_size] to float32 [B, size]."""
        if self.exchange is None:
            return observation
        if not self.swaps:
            other = observation[:, self._exchange]
            return torch.where(self.second(observation), other, observation[:, : self.end])
        first, second = observation[:, : self.cells], observation[:, self.cells : 2 * self.cells]
        swap = observation[:, self.end + 1 : self.end + 2]  # 1 if the second player moves
        change = swap * (second - first)
        return torch.cat([first + change, second - change, observation[:, 2 * self.cells : self.end]], dim=1)

    def second(self, observation: Tensor) -> Tensor:
        """bool [B, 1]: whether the second player moves."""
        return observation[:, self.end + 1 : self.end + 2] > 0

    def turned(self, observation: Tensor, numbers: Tensor) -> Tensor:
        """Numbers [B, A] of the view's actions as those of the observation's, or the other way round.

        It is the same, because the exchange of players is its own inverse.
        """
        if self.actions is None:
            return numbers
        other = numbers[:, self._actions]
        return torch.where(self.second(observation), other, numbers)
