"""The network that the settings of a run choose."""

from __future__ import annotations

from trainer.core.errors import ConfigError
from trainer.game_config import GameConfig
from trainer.network.base import MoverNetwork
from trainer.network.file import NetworkFile, OwnNetwork
from trainer.network.network import PolicyValueNetwork, default_width
from trainer.settings.groups.learning import LearningSettings


def new_network(config: LearningSettings, game: GameConfig, file: NetworkFile | None) -> MoverNetwork:
    """A network with random weights; `file`: the one that `--network-file` names, None for a network of this package.

    Raises ConfigError for one that the game can't have, or that can't grow as the settings say.
    """
    metadata, layout = game.metadata, game.layout
    if file is None:
        network = PolicyValueNetwork(metadata, config.network, config.width, layout, config.blocks, config.pooling)
        if config.grow_to and network.width >= config.grow_to:
            raise ConfigError(f"--grow-to is {config.grow_to}, and the network has a width of {network.width} already")
        return network
    return OwnNetwork(file, metadata, layout, config.width or default_width(metadata, "conv"), config.blocks)
