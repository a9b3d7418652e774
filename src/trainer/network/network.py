"""The networks of this package. B batch, A actions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.core.errors import ConfigError
from trainer.game_config import contract_layout, metadata_of
from trainer.games import game_of, is_available
from trainer.games.layout import Layout, layout_of
from trainer.network.activation import ACTIVATIONS
from trainer.network.base import MoverNetwork
from trainer.network.planes import ConvStem
from trainer.network.tower import Residual, residual_tower
from trainer.replay import Metadata
from trainer.settings.groups.learning import Activation, Family, LearningSettings, Pooling

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
    """A network with random weights and ReLUs for a game whose rules are known; `width` None: `default_width`.

    Raises GameError if there are no rules for `env_id`, ConfigError for a family that the game can't have.
    """
    game = game_of(env_id)
    return PolicyValueNetwork(metadata_of(game), family, width, layout_of(game))


class PolicyValueNetwork(MoverNetwork):
    """The mover's view, a body from one of the families, and a policy and a value head.

    mlp: two hidden layers. conv: a convolutional stem with `width` filters, a hidden layer and a residual layer of `units`.
    residual: a tower of convolutions, for GPUs; on a CPU it takes 35 times as long as an mlp.
    """

    def __init__(
        self,
        game: Metadata,
        family: Family = "mlp",
        width: int | None = None,
        layout: Layout | None = None,
        blocks: int = LearningSettings.blocks,
        pooling: Pooling = LearningSettings.pooling,
        activation: Activation = LearningSettings.activation,
        units: int | None = LearningSettings.units,
    ) -> None:
        """`layout` None: that of the game's rules; without rules that of the replay contract, if the sizes fit it.
        `blocks`, `pooling`: of a residual tower. `activation`: what follows each layer. `units`: of a conv's hidden
        layers; None: `width`.

        Raises ConfigError if a family needs a board, and the layout is unknown or has no planes.
        """
        width = width or default_width(game, family)
        layout = layout or known_layout(game)
        super().__init__(game, layout)
        if family != "mlp" and layout is None:
            raise ConfigError(
                f"the layout of {game.env_id}'s observations is unknown, so its board can't be convolved; use --network mlp"
            )
        if family != "mlp" and layout is not None and not layout.planes:
            raise ConfigError(f"{game.env_id} shows no planes, so there is no board to convolve; use --network mlp")
        self.activation = activation
        act = ACTIVATIONS[activation]
        last = width
        if family == "mlp":
            last = max(width // 2, 1)
            self.body = nn.Sequential(nn.Linear(self.view.size, width), act(), nn.Linear(width, last), act())
        elif family == "conv":
            assert layout is not None
            stem = ConvStem(game, layout, width, act())
            last = units or width
            tail = Residual(nn.Sequential(nn.Linear(last, last), act()))
            self.body = nn.Sequential(stem, nn.Linear(stem.size, last), act(), tail)
        elif family == "residual":
            assert layout is not None
            self.body = residual_tower(layout, max(width // 4, 1), width, blocks, pooling, activation)
        else:
            raise ValueError(f"{family!r} is not a family of networks")
        self.policy = nn.Linear(last, game.num_actions)
        self.value = nn.Linear(last, 1)

    def answers(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, view size] to logits [B, A] of the view's actions and value [B, 1] in [-1, 1] for the mover."""
        features = self.body(view)
        return self.policy(features), torch.tanh(self.value(features))
