"""The policy-value network and its loss. B batch, A actions, C cells.

The network takes the raw observation of the replay contract, whose planes are absolute (first player's and second
player's stones), and sees it from the mover's side: the graph itself swaps the planes when the second player moves and
leaves the seat flags out, so both seats share everything they learn.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from trainer.core.errors import ConfigError
from trainer.replay import Metadata
from trainer.settings.learning import Family

ValueHead = Literal["scalar", "wdl"]
BLOCKS = 6
"""Residual blocks of the tower."""
WIDTHS = {"tictactoe": 128, "connect4": 256, "othello": 512}
"""The default width: features of the first hidden layer."""
MOST_FILTERS = 256
"""Filters of a convolutional stem whose width is not given, at most."""
KERNELS = {"connect4": 4}
"""Side of the stem's convolution: as long as a line that wins; 3 for other games."""


def default_width(game: Metadata, family: Family) -> int:
    """The width of the known game whose board is nearest in size; as many filters would be too slow on a large board."""
    cells = game.board_width * game.board_height
    width = WIDTHS["tictactoe"] if cells <= 20 else WIDTHS["connect4"] if cells <= 50 else WIDTHS["othello"]
    return min(width, MOST_FILTERS) if family == "conv" else width


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


class StonePlanes(nn.Module):
    """The two planes of stones as images."""

    def __init__(self, game: Metadata) -> None:
        super().__init__()
        self.shape = (2, game.board_height, game.board_width)
        self.size = math.prod(self.shape)

    def forward(self, seen: Tensor) -> Tensor:
        """float32 [B, planes + A] as `MoverView` gives it to [B, 2, height, width]; legal moves follow from it."""
        return seen[:, : self.size].reshape(-1, *self.shape)


class ConvStem(nn.Module):
    """A convolution over the two planes of stones, every place of its kernel a feature, beside the legal moves.

    A k x k kernel without padding sees each line of k stones whole, which a plain layer must learn place by place. Many
    filters before a narrow layer are worth more than few before a wide one (docs/log.md).
    """

    def __init__(self, game: Metadata, filters: int) -> None:
        super().__init__()
        self.board = StonePlanes(game)
        kernel = min(KERNELS.get(game.env_id, 3), game.board_height, game.board_width)
        self.conv = nn.Conv2d(2, filters, kernel)
        places = (game.board_height - kernel + 1) * (game.board_width - kernel + 1)
        self.size = filters * places + game.num_actions

    def forward(self, seen: Tensor) -> Tensor:
        """float32 [B, planes + A] as `MoverView` gives it to [B, size]."""
        found = torch.relu(self.conv(self.board(seen)))
        return torch.cat([found.flatten(1), seen[:, self.board.size :]], dim=1)


class Residual(nn.Module):
    """x + f(x) (He et al. 2015)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, features: Tensor) -> Tensor:
        """[B, ...] to the same shape"""
        return features + self.inner(features)  # type: ignore[no-any-return]


def residual_tower(game: Metadata, channels: int, width: int) -> nn.Sequential:
    """`BLOCKS` residual blocks of 3 x 3 convolutions, then a hidden layer: [B, planes + A] to [B, width].

    Each block begins as the identity, its last weights being zero, so that the tower trains without normalization (Zhang,
    Dauphin and Ma 2019).
    """

    def convolution(inputs: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, channels, 3, padding=1)

    blocks = []
    for _ in range(BLOCKS):
        last = convolution(channels)
        for weight in last.parameters():
            nn.init.zeros_(weight)
        blocks.append(Residual(nn.Sequential(nn.ReLU(), convolution(channels), nn.ReLU(), last)))
    flat = channels * game.board_width * game.board_height
    return nn.Sequential(
        StonePlanes(game), convolution(2), *blocks, nn.ReLU(), nn.Flatten(), nn.Linear(flat, width), nn.ReLU()
    )


class WinMinusLoss(nn.Module):
    """P(win) - P(loss) of the three logits win, draw, loss."""

    def forward(self, logits: Tensor) -> Tensor:
        """[B, 3] to [B, 1]"""
        chances = torch.softmax(logits, dim=1)
        return chances[:, :1] - chances[:, 2:]


class PolicyValueNet(nn.Module):
    """A body of one of the families, and two heads.

    mlp: two hidden layers. conv: a convolutional stem with `width` filters, a hidden layer and a residual one. residual: a
    tower of convolutions, which takes 35 times as long as an mlp on a CPU; it is for GPUs.
    """

    def __init__(
        self, game: Metadata, family: Family = "mlp", width: int | None = None, value_head: ValueHead = "scalar"
    ) -> None:
        super().__init__()
        width = width or default_width(game, family)
        self.view = MoverView(game)
        if family != "mlp" and not self.view.swaps:
            raise ConfigError(
                f"the layout of {game.env_id}'s observations is unknown, so its board can't be convolved; use --network mlp"
            )
        last = width
        if family == "mlp":
            last = max(width // 2, 1)
            self.body = nn.Sequential(nn.Linear(self.view.size, width), nn.ReLU(), nn.Linear(width, last), nn.ReLU())
        elif family == "conv":
            stem = ConvStem(game, filters=width)
            tail = Residual(nn.Sequential(nn.Linear(width, width), nn.ReLU()))
            self.body = nn.Sequential(stem, nn.Linear(stem.size, width), nn.ReLU(), tail)
        elif family == "residual":
            self.body = residual_tower(game, max(width // 4, 1), width)
        else:
            raise ValueError(f"{family!r} is no family of networks")
        self.policy = nn.Linear(last, game.num_actions)
        self.value = nn.Linear(last, 3 if value_head == "wdl" else 1)
        self.expectation = WinMinusLoss() if value_head == "wdl" else nn.Tanh()

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, obs_size] to policy logits [B, A], before the softmax, and value [B, 1] in [-1, 1] for the mover."""
        logits, value_logits = self.heads(observation)
        return logits, self.expectation(value_logits)

    def heads(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, the value as its head gives it: [B, 1] before the tanh, or the logits of win, draw, loss [B, 3]."""
        features = self.body(self.view(observation))
        return self.policy(features), self.value(features)

    def loss(self, observation: Tensor, legal: Tensor, visits: Tensor, outcome: Tensor) -> Loss:
        """`alphazero_loss` of a batch; a win, draw and loss head has the cross-entropy in place of the squared error."""
        logits, value_logits = self.heads(observation)
        if value_logits.shape[1] == 3:
            return loss_of(policy_error(logits, legal, visits), wdl_error(value_logits, outcome))
        return alphazero_loss(logits, self.expectation(value_logits), legal, visits, outcome)


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
    return loss_of(policy_error(logits, legal, visits), (outcome - value[:, 0]).square().mean())


def loss_of(policy: Tensor, value: Tensor) -> Loss:
    """The loss of its two parts."""
    return Loss(policy + value, policy, value)


def policy_error(logits: Tensor, legal: Tensor, visits: Tensor) -> Tensor:
    """-sum_a pi_a log p_a, a mean over the rows that have a target; see `alphazero_loss`."""
    log_p = log_softmax(logits.masked_fill(~legal, -torch.inf), dim=1).masked_fill(~legal, 0.0)
    targets = (visits.sum(dim=1) > 0).sum().clamp(min=1)
    return -(visits * log_p).sum() / targets


def wdl_error(logits: Tensor, outcome: Tensor) -> Tensor:
    """The cross-entropy of win, draw and loss, a mean over the rows. logits [B, 3], outcome [B] in [-1, 1].

    An outcome between the three is taken as a chance of the nearer result and of a draw: 0.7 as seven wins in ten, the rest
    drawn. Whatever it is, the expected value of the target is the outcome.
    """
    target = torch.stack([outcome.clamp(min=0), 1 - outcome.abs(), (-outcome).clamp(min=0)], dim=1)
    return -(target * log_softmax(logits, dim=1)).sum(dim=1).mean()
