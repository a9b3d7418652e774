"""The settings of a trainer: the flags of `python -m trainer`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.groups.learning import LearningSettings
from trainer.settings.groups.run import RunSettings
from trainer.settings.validation import require_at_least, require_database


@dataclass(frozen=True)
class TrainerConfig(LearningSettings, RunSettings):
    """Train a policy-value network on the games of a replay database and publish it as ONNX models."""

    FIXED = (*RunSettings.FIXED, *LearningSettings.FIXED)

    db: Path | tuple[Path, ...] = Path("../data/replay.db")
    """SQLite replay database to train on. Several are sampled as if they were one: repeat the flag, or write `*` for what
    differs between their names."""
    model_dir: Path = Path("../data/models")
    """Folder for the models; `latest.onnx` is the newest."""
    stats: Path = Path("../data/stats.json")
    """Statistics file, replaced while training."""
    publish_first: bool = False
    """Publish the untrained network before the first step, so that actors can search from the start."""
    max_pause: float = 300.0
    """Maximum seconds without any new row while --passes waits for one; 0: no limit."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        RunSettings.check(self)
        LearningSettings.check(self)
        require_at_least(self, 0, "max_pause")
        require_database(self.db)
