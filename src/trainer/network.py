"""The policy-value network and its loss. B batch, A actions, C cells.

The network takes the raw observation of the replay contract, whose planes are absolute (first player's and second
player's stones), and sees it from the mover's side: the graph itself swaps the planes when the second player moves and
leaves the seat flags out, so both seats share everything they learn.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from trainer.errors import ConfigError
from trainer.replay import Metadata

Family = Literal["mlp", "conv"]
WIDTHS = {"tictactoe": 128, "connect4": 256, "othello": 512}
"""The default width: features of the first hidden layer."""
KERNELS = {"connect4": 4}
"""Side of the stem's convolution: as long as a line that wins; 3 for other games."""


def default_width(game: Metadata) -> int:
    """The width of the known game whose board is nearest in size."""
    cells = game.board_width * game.board_height
    return WIDTHS["tictactoe"] if cells <= 20 else WIDTHS["connect4"] if cells <= 50 else WIDTHS["othello"]


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


class ConvStem(nn.Module):
    """A convolution over the two planes of stones, every place of its kernel a feature, beside the legal moves.

    A k x k kernel without padding sees each line of k stones whole, which a plain layer must learn place by place.
    """

    def __init__(self, game: Metadata, filters: int) -> None:
        super().__init__()
        self.shape = (2, game.board_height, game.board_width)
        kernel = min(KERNELS.get(game.env_id, 3), game.board_height, game.board_width)
        self.conv = nn.Conv2d(2, filters, kernel)
        places = (game.board_height - kernel + 1) * (game.board_width - kernel + 1)
        self.planes = 2 * game.board_width * game.board_height
        self.size = filters * places + game.num_actions

    def forward(self, seen: Tensor) -> Tensor:
        """float32 [B, planes + A] as `MoverView` gives it to [B, size]."""
        planes = seen[:, : self.planes].reshape(-1, *self.shape)
        return torch.cat([torch.relu(self.conv(planes)).flatten(1), seen[:, self.planes :]], dim=1)


class Residual(nn.Module):
    """x + f(x) (He et al. 2015)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, features: Tensor) -> Tensor:
        """[B, F] to [B, F]"""
        return features + self.inner(features)  # type: ignore[no-any-return]


class PolicyValueNet(nn.Module):
    """A body of one of the families, and two heads.

    mlp: two hidden layers. conv: a convolutional stem, a hidden layer and a residual one. Both take about as long on a CPU,
    where a residual tower of convolutions takes 35 times as long.
    """

    def __init__(self, game: Metadata, family: Family = "mlp", width: int | None = None) -> None:
        super().__init__()
        width = width or default_width(game)
        narrow = max(width // 2, 1)
        self.view = MoverView(game)
        if family == "mlp":
            last = narrow
            self.body = nn.Sequential(nn.Linear(self.view.size, width), nn.ReLU(), nn.Linear(width, narrow), nn.ReLU())
        elif self.view.swaps:
            last = width
            stem = ConvStem(game, filters=max(width // 8, 1))
            tail = Residual(nn.Sequential(nn.Linear(width, width), nn.ReLU()))
            self.body = nn.Sequential(stem, nn.Linear(stem.size, width), nn.ReLU(), tail)
        else:
            raise ConfigError(
                f"the layout of {game.env_id}'s observations is unknown, so its board can't be convolved; use --network mlp"
            )
        self.policy = nn.Linear(last, game.num_actions)
        self.value = nn.Linear(last, 1)

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
