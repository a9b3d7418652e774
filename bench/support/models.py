"""The networks that are measured: with random weights, or after a short run."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import torch

from bench.support.job import Job
from trainer.core.files import write_bytes
from trainer.export import Exporter
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.games.recipes import recipe_of
from trainer.network import NetworkSettings, PolicyValueNetwork, create_network
from trainer.run.folder import RunFolder
from trainer.settings.groups.network import Family
from trainer.training.publish import Retention, publish

SIZES = {"tictactoe": (128, 64), "connect4": (256, 128), "othello": (512, 256)}
"""Features of the two hidden layers. The targets name the networks 29-128-64 and 93-256-128, the observation first."""
OTHERS = (256, 128)
"""The sizes for all other games."""


def layer_sizes(env_id: str) -> str:
    """The sizes of observation and hidden layers, such as 93-256-128."""
    return "-".join(map(str, (game_of(env_id).obs_size, *SIZES.get(env_id, OTHERS))))


def network_of(env_id: str, family: Family = "mlp") -> PolicyValueNetwork:
    """The network of a game, always with the same random weights."""
    torch.manual_seed(1)
    return create_network(env_id, NetworkSettings(family, SIZES.get(env_id, OTHERS)[0]))


def publish_model(env_id: str, path: Path, family: Family = "mlp") -> Path:
    """Publish the network of a game in the run at `path`; returns the path of `latest.onnx`."""
    run = RunFolder(path)
    game = metadata_of(game_of(env_id))
    sample = np.zeros((1, game.obs_size), np.float32)
    publish(Exporter(network_of(env_id, family), game).to_bytes(1, sample), run.models, 1, Retention(1))
    return run.latest_model


def trained_model(job: Job, path: Path, env_id: str) -> Path:
    """Put the model of a short run of the loop into the run at `path`; returns the model's path.

    The model is trained once per recipe, and kept for later runs of the benchmarks.
    """
    if job.size.train_minutes == 0:
        return publish_model(env_id, path, "conv")
    recipe = zlib.crc32(repr(recipe_of(env_id)).encode())
    kept = job.folder / f"{env_id}-{job.size.train_minutes:g}-minutes-{recipe:08x}.onnx"
    if not kept.exists():
        command = [sys.executable, "-m", "trainer.loop", "--env-id", env_id, "--data-dir", str(path)]
        subprocess.run(
            [*command, "--minutes", str(job.size.train_minutes)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        write_bytes(kept, RunFolder(path).latest_model.read_bytes())
    return place_model(path, kept.read_bytes())


def place_model(path: Path, content: bytes) -> Path:
    """Make `content` the newest model of the run at `path`; returns the path of the file."""
    latest = RunFolder(path).latest_model
    latest.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(latest, content)
    return latest
