"""The policy-value network and its loss. B batch, A actions, C cells.

The network takes the raw observation of the replay contract, whose planes are absolute (first player's and second
player's stones), and sees it from the mover's side: the graph itself swaps the planes when the second player moves and
leaves the seat flags out, so both seats share everything they learn.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from trainer.replay import Metadata

HIDDEN = {"tictactoe": (128, 64), "connect4": (256, 128), "othello": (512, 256)}
"""Widths of the two hidden layers."""


def hidden_sizes(game: Metadata) -> tuple[int, int]:
    """The default widths for a game: those of the known game whose board is nearest in size."""
    cells = game.board_width * game.board_height
    return HIDDEN["tictactoe"] if cells <= 20 else HIDDEN["connect4"] if cells <= 50 else HIDDEN["othello"]


class MoverView(nn.Module):
    """The observation as the mover sees it: own stones, the other's stones, legal moves."""

    def __init__(self, game: Metadata) -> None:
        super().__init__()
        self.cells = game.board_width * game.board_height
        self.end = game.legal_mask_offset + game.num_actions
        # Only where the layout is that of the contract is it known which numbers are whose stones.
        self.swaps = game.legal_mask_offset == 2 * self.cells and game.obs_size == self.end + 2
        self.size = self.end if self.swaps else game.obs_size

    def forward(self, observation: Tensor) -> Tensor:
        """float32 [B, obs_size] to float32 [B, size]; an observation of unknown layout stays as it is."""
        if not self.swaps:
            return observation
        first, second = observation[:, : self.cells], observation[:, self.cells : 2 * self.cells]
        swap = observation[:, self.end + 1 : self.end + 2]  # 1 where the second player moves
        change = swap * (second - first)
        return torch.cat([first + change, second - change, observation[:, 2 * self.cells : self.end]], dim=1)


class PolicyValueNet(nn.Module):
    """A multilayer perceptron with two hidden layers and two heads."""

    def __init__(self, game: Metadata, hidden: tuple[int, int] | None = None) -> None:
        super().__init__()
        wide, narrow = hidden or hidden_sizes(game)
        self.view = MoverView(game)
        self.body = nn.Sequential(nn.Linear(self.view.size, wide), nn.ReLU(), nn.Linear(wide, narrow), nn.ReLU())
        self.policy = nn.Linear(narrow, game.num_actions)
        self.value = nn.Linear(narrow, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, obs_size] to policy logits [B, A], before the softmax, and value [B, 1] in [-1, 1] for the mover."""
        features = self.body(self.view(observation))
        return self.policy(features), torch.tanh(self.value(features))


class Loss(NamedTuple):
    """The loss of a batch and its two parts, each a scalar."""

    total: Tensor
    policy: Tensor
    value: Tensor


def alphazero_loss(logits: Tensor, value: Tensor, legal: Tensor, visits: Tensor, outcome: Tensor) -> Loss:
    """(z - v)^2 - sum_a pi_a log p_a, each a mean over the rows (AlphaZero; Silver et al. 2017, equation 1).

    logits [B, A], value [B, 1], legal bool [B, A] over which p is a softmax, visits [B, A] the target pi, outcome [B] the
    target z. A row whose visits are all zero has no policy target and counts for the value only.
    """
    log_p = log_softmax(logits.masked_fill(~legal, -torch.inf), dim=1).masked_fill(~legal, 0.0)
    targets = (visits.sum(dim=1) > 0).sum().clamp(min=1)
    policy = -(visits * log_p).sum() / targets
    value_error = (outcome - value[:, 0]).square().mean()
    return Loss(policy + value_error, policy, value_error)
