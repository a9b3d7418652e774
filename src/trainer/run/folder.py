"""The folder of a run: where each of its files lies."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from trainer.core.files import by_number
from trainer.core.locks import locked
from trainer.run.kept_network import kept_networks
from trainer.run.model_files import CHECKPOINT, LATEST, NETWORK, stored_models
from trainer.settings.base import REPLAY_FILE

MODELS = "models"
STATS_FILE = "stats.json"
ACTOR_STATS_FILE = "actor_stats.json"
EVALUATIONS_FILE = "evaluations.jsonl"
SHARD = "replay-{}.db"
"""Name of one of several replay databases."""
RECORD_FILE = "run.json"
RULES = "rules"
START = "start.onnx"
LOGS = "logs"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, any of which may be missing."""

    path: Path

    @property
    def replay(self) -> Path:
        """The replay database: stored games."""
        return self.path / REPLAY_FILE

    def shards(self, count: int | None) -> tuple[Path, ...]:
        """The replay databases that `count` hubs of a cluster write; None: `replay.db` alone."""
        return (self.replay,) if count is None else tuple(self.path / SHARD.format(at) for at in range(count))

    @property
    def databases(self) -> list[Path]:
        """The replay databases that there are."""
        shards = sorted(self.path.glob(SHARD.format("[0-9]*")), key=by_number)
        return [*([self.replay] if os.path.exists(self.replay) else []), *shards]

    @property
    def models(self) -> Path:
        """The folder of the models and of the checkpoint."""
        return self.path / MODELS

    @property
    def latest_model(self) -> Path:
        """The newest model."""
        return self.models / LATEST

    @property
    def checkpoint(self) -> Path:
        """What the trainer goes on from."""
        return self.models / CHECKPOINT

    @property
    def start(self) -> Path:
        """A copy of the model that the run started from, if it did."""
        return self.path / START

    @property
    def stats(self) -> Path:
        """The trainer's statistics."""
        return self.path / STATS_FILE

    @property
    def actor_stats(self) -> Path:
        """The actors' statistics."""
        return self.path / ACTOR_STATS_FILE

    @property
    def evaluations(self) -> Path:
        """All evaluations, one per line."""
        return self.path / EVALUATIONS_FILE

    @property
    def rules(self) -> Path:
        """The folder of the copy of its game's rules, if it has one."""
        return self.path / RULES

    @property
    def record(self) -> Path:
        """The settings of the run, and the versions and the machine that it runs on."""
        return self.path / RECORD_FILE

    @property
    def logs(self) -> Path:
        """The folder of the logs of the loop's processes."""
        return self.path / LOGS


def set_aside(models: Path, stats: Path) -> Path | None:
    """Move an earlier run's models, checkpoint and statistics to `<models>/old-<UTC time>`; returns that folder, if any.

    `latest.onnx` stays until the first new model replaces it. run.json is copied, because a new run may have written it
    already, and the file of a custom network, because the new run may use it. The checkpoint goes last: if this
    process is killed, `--resume` still works, and the next start moves the rest.
    """
    run = RunFolder(stats.parent)
    checkpoint = [path for path in models.glob("checkpoint*") if path.name != NETWORK]
    stored = stored_models(models)
    reported = stats.exists() or run.evaluations.exists()  # actor_stats.json alone may be the new run's
    if not checkpoint and not stored and not reported:
        return None
    old = folder_for_old(models)
    if run.record.exists():
        (old / RECORD_FILE).write_bytes(run.record.read_bytes())
    for network in kept_networks(models):
        (old / network.name).write_bytes(network.read_bytes())
    with locked(run.actor_stats):  # actors may be running already
        for path in (stats, run.evaluations, run.actor_stats, *stored, *checkpoint):
            if path.exists():
                shutil.move(path, old / path.name)  # statistics may lie on another file system than models
    return old


def folder_for_old(folder: Path) -> Path:
    """Make the folder `<folder>/old-<UTC time>`, for files of an earlier run."""
    old = unused(folder, "old")
    old.mkdir(parents=True)
    return old


def unused(folder: Path, name: str) -> Path:
    """A path `<folder>/<name>-<UTC time>` at which there is nothing."""
    path = folder / time.strftime(f"{name}-%Y%m%dT%H%M%SZ", time.gmtime())
    while path.exists():
        path = path.with_name(path.name + "-2")
    return path
