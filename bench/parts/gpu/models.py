"""The networks that are measured on a GPU."""

from __future__ import annotations

import numpy as np
import torch

from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.export import Exporter
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.games.layout import layout_of
from trainer.network import Family, NetworkSettings, PolicyValueNetwork

Kind = tuple[Family, int, int]
"""Family, width, blocks."""
TOWER: Kind = ("residual", 384, 6)
CONV: Kind = ("conv", 256, 6)
NAMES = {TOWER: "tower of 6 blocks with 96 filters", CONV: "conv 256"}


def network_of(env_id: str, kind: Kind) -> PolicyValueNetwork:
    """A network with random weights, always the same. No weight is zero."""
    torch.manual_seed(1)
    family, width, blocks = kind
    game = game_of(env_id)
    network = PolicyValueNetwork(metadata_of(game), NetworkSettings(family, width, blocks=blocks), layout_of(game))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05 if parameter.dim() == 1 else 1.2 / parameter[0].numel() ** 0.5)
    return network


def model_of(env_id: str, kind: Kind) -> bytes:
    """A model file of such a network."""
    game = game_of(env_id)
    return Exporter(network_of(env_id, kind), metadata_of(game)).to_bytes(1, np.zeros((1, game.obs_size), np.float32))


def original_of(env_id: str, content: bytes) -> OnnxEvaluator:
    """A model evaluated by ONNX Runtime."""
    return OnnxEvaluator(content, "a model", env_id)
