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
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.network import Family, PolicyValueNetwork
from trainer.run.model_files import LATEST
from trainer.settings.recipes import RECIPES
from trainer.training.export import Exporter
from trainer.training.publish import Retention, publish

SIZES = {"tictactoe": (128, 64), "connect4": (256, 128), "othello": (512, 256)}
"""Features of the two hidden layers. The targets name the networks 29-128-64 and 93-256-128, the observation first."""


def layer_sizes(env_id: str) -> str:
    """The sizes of observation and hidden layers, such as 93-256-128."""
    return "-".join(map(str, (game_of(env_id).obs_size, *SIZES[env_id])))


def network_of(env_id: str, family: Family = "mlp") -> PolicyValueNetwork:
    """The network of a game, always with the same random weights."""
    torch.manual_seed(1)
    return PolicyValueNetwork(metadata_of(game_of(env_id)), family, SIZES[env_id][0])


def publish_model(env_id: str, folder: Path, family: Family = "mlp") -> Path:
    """Publish the network of a game in `folder/models`; returns the path of `latest.onnx`."""
    game = metadata_of(game_of(env_id))
    sample = np.zeros((1, game.obs_size), np.float32)
    publish(Exporter(network_of(env_id, family), game).to_bytes(1, sample), folder / "models", 1, Retention(1))
    return folder / "models" / LATEST


def trained_model(job: Job, run: Path, env_id: str) -> Path:
    """Put the model of a short run of the loop into `run/models`; it is trained once per recipe. Returns its path."""
    latest = run / "models" / LATEST
    if job.size.train_minutes == 0:
        return publish_model(env_id, run, "conv")
    recipe = zlib.crc32(repr(RECIPES[env_id]).encode())
    kept = job.folder / f"{env_id}-{job.size.train_minutes:g}-minutes-{recipe:08x}.onnx"
    if not kept.exists():
        command = [sys.executable, "-m", "trainer.loop", "--env-id", env_id, "--data-dir", str(run)]
        subprocess.run(
            [*command, "--minutes", str(job.size.train_minutes)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        write_bytes(kept, latest.read_bytes())
    return place_model(run, kept.read_bytes())


def place_model(run: Path, content: bytes) -> Path:
    """Make `content` the newest model of a run; returns the path of the file."""
    latest = run / "models" / LATEST
    latest.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(latest, content)
    return latest
