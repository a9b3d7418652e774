"""The networks that are measured, with weights out of the blue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from trainer.export import Exporter, Kept, publish
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.inference import LATEST
from trainer.network import Family, PolicyValueNet

SIZES = {"tictactoe": (128, 64), "connect4": (256, 128), "othello": (512, 256)}
"""Widths of the two hidden layers; with the observation in front, 29-128-64 and 93-256-128 are those of the targets."""


def network_of(env_id: str, family: Family = "mlp") -> PolicyValueNet:
    """The network of a game, always with the same weights."""
    torch.manual_seed(1)
    return PolicyValueNet(metadata_of(game_of(env_id)), family, SIZES[env_id][0])


def publish_model(env_id: str, folder: Path, family: Family = "mlp") -> Path:
    """Publish the network of a game in `folder/models`; returns the path of `latest.onnx`."""
    game = metadata_of(game_of(env_id))
    sample = np.zeros((1, game.obs_size), np.float32)
    publish(Exporter(network_of(env_id, family), game).to_bytes(1, sample), folder / "models", 1, Kept(1))
    return folder / "models" / LATEST
