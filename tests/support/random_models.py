"""Networks with random weights, published as the trainer publishes its models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from trainer.export import Exporter
from trainer.game_config import metadata_of
from trainer.games import find_game, game_of
from trainer.games.layout import layout_of
from trainer.network import Family, NetworkSettings, PolicyValueNetwork, create_network
from trainer.settings.groups.network import Activation, Pooling
from trainer.training.publish import Retention, publish


def random_network(
    env_id: str,
    family: Family = "mlp",
    width: int = 80,
    seed: int = 3,
    blocks: int = 2,
    pooling: Pooling = "none",
    activation: Activation = "relu",
    units: int | None = None,
    lines: int = 0,
) -> PolicyValueNetwork:
    """A network with random weights and with biases that are not 0."""
    torch.manual_seed(seed)
    game = game_of(env_id)
    settings = NetworkSettings(family, width, units, blocks, pooling, activation, lines)
    network = PolicyValueNetwork(metadata_of(game), settings, layout_of(game))
    gain = 1.5 if activation == "relu" else 0.8  # squares would grow from layer to layer
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2 if parameter.dim() == 1 else gain / parameter[0].numel() ** 0.5)
    return network


def model_file(env_id: str, network: PolicyValueNetwork, step: int = 7) -> bytes:
    """The network as the trainer writes it, after a fifth of its run."""
    game = game_of(env_id)
    sample = np.zeros((1, game.obs_size), np.float32)
    return Exporter(network, metadata_of(game)).to_bytes(step, sample, progress=0.2)


def publish_model(folder: Path, env_id: str = "tictactoe", step: int = 1) -> None:
    """Publish a random network as latest.onnx; `step` is also its seed."""
    torch.manual_seed(step)
    found = find_game(env_id)
    exporter = Exporter(create_network(env_id), metadata_of(found.game), found.stamp)
    content = exporter.to_bytes(step, np.zeros((1, found.game.obs_size), np.float32))
    publish(content, folder / "models", step, Retention(10))
