"""Networks with random weights, published as the trainer publishes its models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.network import PolicyValueNetwork
from trainer.training.export import Exporter
from trainer.training.publish import Retention, publish


def publish_model(folder: Path, env_id: str = "tictactoe", step: int = 1) -> None:
    """Publish a random network as latest.onnx; `step` is also its seed."""
    torch.manual_seed(step)
    game = metadata_of(game_of(env_id))
    content = Exporter(PolicyValueNetwork(game), game).to_bytes(step, np.zeros((1, game.obs_size), np.float32))
    publish(content, folder / "models", step, Retention(10))
