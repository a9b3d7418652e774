"""The policy-value network and its loss. B batch, A actions, H x W cells.

Observations are absolute, as in the replay database: one plane of the first player's stones, one of the second player's.
The network looks at the board from the mover's side: it swaps the two planes when the second player moves and drops the
seat flags. Everything it learns about one seat therefore also applies to the other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from trainer.core.errors import ConfigError
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import Metadata
from trainer.settings.learning import Family

BLOCKS = 6
"""Residual blocks in the tower of the family `residual`."""
WIDTHS = {"tictactoe": 128, "connect4": 256, "othello": 512}
"""Default width per game: the number of features of the first hidden layer."""
MAX_DEFAULT_FILTERS = 256
"""The default number of filters in a convolutional stem is at most this; `--width` may set more."""
KERNEL_SIDES = {"connect4": 4}
"""Side of the stem's convolution kernel. In Connect 4 it is the length of a winning line; other games use 3."""


def default_width(game: Metadata, family: Family) -> int:
    """The width used for the known game with the most similar board size.

    A convolutional stem gets at most `MAX_DEFAULT_FILTERS`, because more filters would be too slow on a large board.
    """
    cells = game.board_width * game.board_height
    width = WIDTHS["tictactoe"] if cells <= 20 else WIDTHS["connect4"] if cells <= 50 else WIDTHS["othello"]
    return min(width, MAX_DEFAULT_FILTERS) if family == "conv" else width


def create_network(env_id: str, family: Family = "mlp", width: int | None = None) -> PolicyValueNetwork:
    """A network with random weights for a game whose rules are known; `width` None: `default_width`.

    Raises GameError if there are no rules for `env_id`.
    """
    return PolicyValueNetwork(metadata_of(game_of(env_id)), family, width)


class MoverView(nn.Module):
    """Turns an observation into the mover's view: own stones, the opponent's stones, legal moves."""

    def __init__(self, game: Metadata) -> None:
        super().__init__()
        self.cells = game.board_width * game.board_height
        self.end = game.legal_mask_offset + game.num_actions
        # We know which numbers are which player's stones only if the observation has the layout of our own games:
        # two planes, the legal moves, two seat flags.
        self.swaps = game.legal_mask_offset == 2 * self.cells and game.obs_size == self.end + 2
        self.size = self.end if self.swaps else game.obs_size

    def forward(self, observation: Tensor) -> Tensor:
        """float32 [B, obs_size] to float32 [B, size]. An observation with an unknown layout is returned unchanged."""
        if not self.swaps:
            return observation
        first, second = observation[:, : self.cells], observation[:, self.cells : 2 * self.cells]
        swap = observation[:, self.end + 1 : self.end + 2]  # 1 if the second player moves
        change = swap * (second - first)
        return torch.cat([first + change, second - change, observation[:, 2 * self.cells : self.end]], dim=1)


class StonePlanes(nn.Module):
    """Reshapes the two planes of stones into images."""

    def __init__(self, game: Metadata) -> None:
        super().__init__()
        self.shape = (2, game.board_height, game.board_width)
        self.size = math.prod(self.shape)

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, planes + A] from `MoverView` to [B, 2, H, W]; drops the legal moves, which follow the planes."""
        return view[:, : self.size].reshape(-1, *self.shape)


class ConvStem(nn.Module):
    """A convolution over the two planes of stones, flattened, with the legal moves appended.

    A k x k kernel without padding covers whole lines of k stones, which a dense layer would have to learn place by place.
    Many filters before a narrow layer are worth more than few before a wide one (docs/log.md).
    """

    def __init__(self, game: Metadata, filters: int) -> None:
        super().__init__()
        self.board = StonePlanes(game)
        side = min(KERNEL_SIDES.get(game.env_id, 3), game.board_height, game.board_width)
        self.conv = nn.Conv2d(2, filters, side)
        places = (game.board_height - side + 1) * (game.board_width - side + 1)
        self.size = filters * places + game.num_actions

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, planes + A] from `MoverView` to [B, size]."""
        features = torch.relu(self.conv(self.board(view)))
        return torch.cat([features.flatten(1), view[:, self.board.size :]], dim=1)


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

    The last convolution of each block starts with zero weights, so each block starts as the identity and the tower trains
    without normalization (Zhang, Dauphin and Ma 2019).
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


class PolicyValueNetwork(nn.Module):
    """The mover's view, a body from one of the families, and a policy and a value head.

    mlp: two hidden layers. conv: a convolutional stem with `width` filters, a hidden layer and a residual layer.
    residual: a tower of convolutions, for GPUs; on a CPU it takes 35 times as long as an mlp.
    """

    def __init__(self, game: Metadata, family: Family = "mlp", width: int | None = None) -> None:
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
            raise ValueError(f"{family!r} is not a family of networks")
        self.policy = nn.Linear(last, game.num_actions)
        self.value = nn.Linear(last, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, obs_size] to policy logits [B, A], before the softmax, and value [B, 1] in [-1, 1] for the mover."""
        features = self.body(self.view(observation))
        return self.policy(features), torch.tanh(self.value(features))

    def loss(self, observation: Tensor, legal: Tensor, visits: Tensor, outcome: Tensor) -> Loss:
        """`alphazero_loss` of a batch: observation [B, obs_size], legal bool [B, A], visits [B, A], outcome [B]."""
        logits, value = self(observation)
        return alphazero_loss(logits, value, legal, visits, outcome)


class Loss(NamedTuple):
    """The loss of a batch and its two parts, each a scalar."""

    total: Tensor
    policy: Tensor
    value: Tensor


def alphazero_loss(logits: Tensor, value: Tensor, legal: Tensor, visits: Tensor, outcome: Tensor) -> Loss:
    """(z - v)^2 - sum_a pi_a log p_a, each averaged over the rows (AlphaZero; Silver et al. 2017, equation 1).

    value [B, 1] is v, outcome [B] is the target z; for logits, legal, visits see `policy_loss`.
    """
    policy_error = policy_loss(logits, legal, visits)
    value_error = (outcome - value[:, 0]).square().mean()
    return Loss(policy_error + value_error, policy_error, value_error)


def policy_loss(logits: Tensor, legal: Tensor, visits: Tensor) -> Tensor:
    """-sum_a pi_a log p_a, averaged over the rows that have a policy target.

    p is the softmax of logits [B, A] over the legal moves (bool [B, A]), pi the visits [B, A]. A row whose visits are all
    zero has no policy target.
    """
    log_p = log_softmax(logits.masked_fill(~legal, -torch.inf), dim=1).masked_fill(~legal, 0.0)
    targets = (visits.sum(dim=1) > 0).sum().clamp(min=1)
    return -(visits * log_p).sum() / targets
