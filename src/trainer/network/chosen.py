"""The network that the settings of a run choose."""

from __future__ import annotations

from trainer.game_config import GameConfig
from trainer.network.base import MoverNetwork
from trainer.network.file import CustomNetwork, NetworkFile
from trainer.network.policy_value import PolicyValueNetwork, default_width
from trainer.settings.groups.network import NetworkSettings


def new_network(config: NetworkSettings, game: GameConfig, file: NetworkFile | None) -> MoverNetwork:
    """A network with random weights; `file`: the one that `--network-file` names, None for a network of this package.

    Raises ConfigError for one that the game can't have.
    """
    metadata, layout = game.metadata, game.layout
    if file is None:
        return PolicyValueNetwork(metadata, config, layout)
    return CustomNetwork(file, metadata, layout, config.width or default_width(metadata, "conv"), config.blocks)
