"""The settings of a trainer: the flags of `python -m trainer`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.groups.learning import LearningSettings
from trainer.settings.groups.run import RunSettings
from trainer.settings.validation import require_database


@dataclass(frozen=True)
class TrainerConfig(LearningSettings, RunSettings):
    """Train a policy-value network on the games of a replay database and publish it as ONNX models."""

    db: Path | tuple[Path, ...] = Path("../data/replay.db")
    """SQLite replay database to train on. Several are sampled as if they were one: repeat the flag, or write `*` for what
    differs between their names."""
    model_dir: Path = Path("../data/models")
    """Folder for the models; `latest.onnx` is the newest."""
    stats: Path = Path("../data/stats.json")
    """Statistics file, replaced while training."""
    publish_first: bool = False
    """Publish the untrained network, or that of the checkpoint, before the first step, so that actors can search from the
    start."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        RunSettings.check(self)
        LearningSettings.check(self)
        require_database(self.db)
