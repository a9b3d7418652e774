"""The networks of this package. B batch, A actions."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from trainer.core.errors import ConfigError
from trainer.game_config import contract_layout, metadata_of
from trainer.games import game_of, is_available
from trainer.games.layout import Layout, layout_of
from trainer.network.activation import ACTIVATIONS
from trainer.network.base import MoverNetwork
from trainer.network.blocks import Residual
from trainer.network.stem import ConvStem
from trainer.network.tower import ResidualTower
from trainer.replay import Metadata
from trainer.settings.groups.network import Family, NetworkSettings

WIDTHS = ((20, 128), (50, 256))
"""For boards of at most this many cells, the features of the first hidden layer by default; larger ones have WIDEST."""
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


def completed(settings: NetworkSettings, game: Metadata) -> NetworkSettings:
    """The settings of a network, with the defaults for the game's board filled in. What doesn't apply to the family has its
    plain default, so networks that differ only in that have the same settings."""
    family = settings.network
    width = settings.width or default_width(game, family)
    found = NetworkSettings(family, width, activation=settings.activation)
    if family == "conv":
        return replace(found, units=settings.units or width, lines=settings.lines)
    return replace(found, blocks=settings.blocks, pooling=settings.pooling) if family == "residual" else found


def create_network(env_id: str, settings: NetworkSettings | None = None) -> PolicyValueNetwork:
    """A network with random weights for a game whose rules are known. `settings` None: an mlp; `recipe_of(env_id)`: that of
    the game's recipe.

    Raises GameError if there are no rules for `env_id`, ConfigError for a size that can't be, or for a family that the game
    can't have.
    """
    if settings:
        NetworkSettings.check(settings)  # not those of a run that `settings` may have as well
    game = game_of(env_id)
    return PolicyValueNetwork(metadata_of(game), settings, layout_of(game))


class PolicyValueNetwork(MoverNetwork):
    """The mover's view, a body from one of the families, and a policy and a value head.

    mlp: two hidden layers. conv: a convolutional stem, a hidden layer and a residual layer. residual: a tower of
    convolutions, for GPUs; on a CPU it takes 35 times as long as an mlp. `settings` says which, `completed`.
    """

    def __init__(self, game: Metadata, settings: NetworkSettings | None = None, layout: Layout | None = None) -> None:
        """`settings` None: the plain defaults. `layout` None: that of the game's rules; without rules that of the replay
        contract, if the sizes fit it.

        Raises ConfigError if a family needs a board, and the layout is unknown or has no planes.
        """
        layout = layout or known_layout(game)
        super().__init__(game, layout)
        self.settings = settings = completed(settings or NetworkSettings(), game)
        family, width = settings.network, settings.width
        assert width is not None
        if family != "mlp" and layout is None:
            raise ConfigError(
                f"the layout of {game.env_id}'s observations is unknown, so its board can't be convolved; use --network mlp"
            )
        if family != "mlp" and layout is not None and not layout.planes:
            raise ConfigError(f"{game.env_id} shows no planes, so there is no board to convolve; use --network mlp")
        act = ACTIVATIONS[settings.activation]
        last = width
        if family == "mlp":
            last = max(width // 2, 1)
            self.body = nn.Sequential(nn.Linear(self.view.size, width), act(), nn.Linear(width, last), act())
        elif family == "conv":
            assert layout is not None
            assert settings.units is not None
            last = settings.units
            stem = ConvStem(game, layout, width, act(), settings.lines)
            tail = Residual(nn.Sequential(nn.Linear(last, last), act()))
            self.body = nn.Sequential(stem, nn.Linear(stem.size, last), act(), tail)
        elif family == "residual":
            assert layout is not None
            self.body = nn.Sequential(ResidualTower(layout, width, settings))
        else:
            raise ValueError(f"{family!r} is not a family of networks")
        self.policy = nn.Linear(last, game.num_actions)
        self.value = nn.Linear(last, 1)

    def answers(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [B, view size] to logits [B, A] of the view's actions and value [B, 1] in [-1, 1] for the mover."""
        features = self.body(view)
        with torch.autocast(features.device.type, enabled=False):  # 8 bits are too few for a value close to 1
            features = features.to(self.value.weight.dtype)
            return self.policy(features), torch.tanh(self.value(features))
