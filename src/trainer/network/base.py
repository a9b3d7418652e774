"""What a network is for training, export and evaluation. B batch, A actions."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from trainer.games.layout import Layout
from trainer.network.loss import Loss, alphazero_loss
from trainer.network.view import MoverView
from trainer.replay import Metadata


class MoverNetwork(nn.Module, ABC):
    """A policy-value network. It sees each position from the mover's side."""

    def __init__(self, game: Metadata, layout: Layout | None) -> None:
        """`layout` None: it is unknown, so the network sees observations as they are."""
        super().__init__()
        self.view = MoverView(game, layout)

    @abstractmethod
    def answers(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, view size] to logits [B, A] of the view's actions and value [B, 1] in [-1, 1] for the mover."""

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, obs_size] to policy logits [B, A], before the softmax, and value [B, 1] in [-1, 1] for the mover."""
        logits, value = self.answers(self.view(observation))
        return self.view.turned(observation, logits), value

    def loss(self, observation: Tensor, legal: Tensor, policy_target: Tensor, value_target: Tensor) -> Loss:
        """`alphazero_loss` of a batch: observation [B, obs_size], legal bool [B, A], and the targets [B, A] and [B]."""
        logits, value = self(observation)
        return alphazero_loss(logits.float(), value.float(), legal, policy_target, value_target)

    @property
    def weight(self) -> Tensor:
        """One of the weights, which shows their type and their device."""
        return next(self.parameters())
