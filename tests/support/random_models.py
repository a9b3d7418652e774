"""Networks with random weights, published as the trainer publishes its models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from trainer.game_config import metadata_of
from trainer.games import find_game
from trainer.network import create_network
from trainer.training.export import Exporter
from trainer.training.publish import Retention, publish


def publish_model(folder: Path, env_id: str = "tictactoe", step: int = 1) -> None:
    """Publish a random network as latest.onnx; `step` is also its seed."""
    torch.manual_seed(step)
    found = find_game(env_id)
    exporter = Exporter(create_network(env_id), metadata_of(found.game), found.stamp)
    content = exporter.to_bytes(step, np.zeros((1, found.game.obs_size), np.float32))
    publish(content, folder / "models", step, Retention(10))
