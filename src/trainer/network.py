"""The policy-value network and its loss. B batch, A actions, H x W cells.

Observations are absolute, as in the replay database. The network looks at the board from the mover's side: it exchanges the
players when the second one moves and drops the seat flags. In most games that swaps the planes of the first and the second
player's stones. Everything it learns about one seat therefore also applies to the other. In a game whose players can't be
exchanged it sees the seat flags instead.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from trainer.core.errors import ConfigError
from trainer.game_config import contract_layout, metadata_of
from trainer.games import game_of, is_available
from trainer.games.layout import Layout, layout_of
from trainer.replay import Metadata
from trainer.settings.groups.learning import Family

BLOCKS = 6
"""Residual blocks in the tower of the family `residual`, by default."""
WIDTHS = ((20, 128), (50, 256))
"""Boards of at most so many cells get a first hidden layer of so many features by default; larger ones WIDEST."""
WIDEST = 512
MAX_DEFAULT_FILTERS = 256
"""The default number of filters in a convolutional stem is at most this; `--width` may set more."""


def default_width(game: Metadata, family: Family) -> int:
    """The width for a board of this size.

    A convolutional stem gets at most `MAX_DEFAULT_FILTERS`, because more filters would be too slow on a large board.
    """
    cells = game.board_width * game.board_height
    width = next((width for most, width in WIDTHS if cells <= most), WIDEST)
    return min(width, MAX_DEFAULT_FILTERS) if family == "conv" else width


def known_layout(game: Metadata) -> Layout | None:
    """The layout by the game's rules; without rules that of the contract, if the sizes fit it; None: unknown."""
    return layout_of(game_of(game.env_id)) if is_available(game.env_id) else contract_layout(game)


def create_network(env_id: str, family: Family = "mlp", width: int | None = None) -> PolicyValueNetwork:
    """A network with random weights for a game whose rules are known; `width` None: `default_width`.

    Raises GameError if there are no rules for `env_id`.
    """
    game = game_of(env_id)
    return PolicyValueNetwork(metadata_of(game), family, width, layout_of(game))


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

    def turned_back(self, observation: Tensor, logits: Tensor) -> Tensor:
        """Logits [B, A] of the view's actions as logits of the observation's."""
        if self.actions is None:
            return logits
        other = logits[:, self._actions]
        return torch.where(self.second(observation), other, logits)


class StonePlanes(nn.Module):
    """Reshapes the planes of a view into images."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.shape = (layout.planes, layout.height, layout.width)
        self.size = math.prod(self.shape)

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, size] from `MoverView` to [B, P, H, W]; drops what follows the planes."""
        return view[:, : self.size].reshape(-1, *self.shape)


class AllPlanes(nn.Module):
    """Reshapes the planes of a view into images, and adds an image for each further number but the legal moves."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.board = StonePlanes(layout)
        begin, moves = layout.board_numbers + layout.features, layout.num_actions
        self.spans = ((layout.board_numbers, begin), (begin + moves, layout.view_size))
        """The features, and the seat flags if the network sees them."""
        self.planes = layout.planes + sum(end - start for start, end in self.spans)

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, size] from `MoverView` to [B, planes, H, W]."""
        board = self.board(view)
        images = [board]
        for start, end in self.spans:
            if end > start:
                images.append(view[:, start:end, None, None] * torch.ones_like(board[:1, :1]))
        return torch.cat(images, dim=1) if len(images) > 1 else board


class ConvStem(nn.Module):
    """A convolution over the planes, flattened, with the rest of the view appended.

    A k x k kernel without padding covers whole lines of k stones, which a dense layer would have to learn place by place.
    Many filters before a narrow layer are worth more than few before a wide one (docs/log.md).
    """

    def __init__(self, game: Metadata, layout: Layout, filters: int) -> None:
        super().__init__()
        self.board = StonePlanes(layout)
        side = min(layout.kernel_side, game.board_height, game.board_width)
        self.conv = nn.Conv2d(layout.planes, filters, side)
        places = (game.board_height - side + 1) * (game.board_width - side + 1)
        self.size = filters * places + layout.view_size - layout.board_numbers

    def forward(self, view: Tensor) -> Tensor:
        """float32 [B, view size] from `MoverView` to [B, size]."""
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


def residual_tower(layout: Layout, channels: int, width: int, blocks: int) -> nn.Sequential:
    """Residual blocks of 3 x 3 convolutions, then a hidden layer: [B, view size] to [B, width].

    The last convolution of each block starts with zero weights, so each block starts as the identity and the tower trains
    without normalization (Zhang, Dauphin and Ma 2019).
    """

    def convolution(inputs: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, channels, 3, padding=1)

    tower = []
    for _ in range(blocks):
        last = convolution(channels)
        for weight in last.parameters():
            nn.init.zeros_(weight)
        tower.append(Residual(nn.Sequential(nn.ReLU(), convolution(channels), nn.ReLU(), last)))
    images = AllPlanes(layout)
    first: nn.Module = images.board if images.planes == layout.planes else images
    dense = nn.Linear(channels * layout.cells, width)
    return nn.Sequential(first, convolution(images.planes), *tower, nn.ReLU(), nn.Flatten(), dense, nn.ReLU())


class PolicyValueNetwork(nn.Module):
    """The mover's view, a body from one of the families, and a policy and a value head.

    mlp: two hidden layers. conv: a convolutional stem with `width` filters, a hidden layer and a residual layer.
    residual: a tower of convolutions, for GPUs; on a CPU it takes 35 times as long as an mlp.
    """

    def __init__(
        self,
        game: Metadata,
        family: Family = "mlp",
        width: int | None = None,
        layout: Layout | None = None,
        blocks: int = BLOCKS,
    ) -> None:
        """`layout` None: that of the game's rules; without rules that of the replay contract, if the sizes fit it.

        `blocks`: of a residual tower.
        """
        super().__init__()
        width = width or default_width(game, family)
        layout = layout or known_layout(game)
        self.view = MoverView(game, layout)
        if family != "mlp" and layout is None:
            raise ConfigError(
                f"the layout of {game.env_id}'s observations is unknown, so its board can't be convolved; use --network mlp"
            )
        last = width
        if family == "mlp":
            last = max(width // 2, 1)
            self.body = nn.Sequential(nn.Linear(self.view.size, width), nn.ReLU(), nn.Linear(width, last), nn.ReLU())
        elif family == "conv":
            assert layout is not None
            stem = ConvStem(game, layout, filters=width)
            tail = Residual(nn.Sequential(nn.Linear(width, width), nn.ReLU()))
            self.body = nn.Sequential(stem, nn.Linear(stem.size, width), nn.ReLU(), tail)
        elif family == "residual":
            assert layout is not None
            self.body = residual_tower(layout, max(width // 4, 1), width, blocks)
        else:
            raise ValueError(f"{family!r} is not a family of networks")
        self.policy = nn.Linear(last, game.num_actions)
        self.value = nn.Linear(last, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, obs_size] to policy logits [B, A], before the softmax, and value [B, 1] in [-1, 1] for the mover."""
        features = self.body(self.view(observation))
        return self.view.turned_back(observation, self.policy(features)), torch.tanh(self.value(features))

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
