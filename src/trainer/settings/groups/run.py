"""Settings of a training run as a whole: its game, its length, its seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.base import DEFAULT_GAME, Settings, fixed
from trainer.settings.validation import LogLevel, require, require_above_0, require_at_least, require_seed


@dataclass(frozen=True)
class RunSettings(Settings):
    """Which game to learn, for how long, and from which seed."""

    env_id: str = fixed(DEFAULT_GAME)
    """Game to learn."""
    steps: int | None = 1000
    """Training steps of the whole run, including those before a --resume; None: as many as the minutes allow."""
    minutes: float | None = None
    """Minutes of the whole run, from its first batch on, including those before a --resume; None: no time limit. In a
    new run with minutes alone, the number of steps is unlimited (in Python TrainerConfig also needs steps=None for that)."""
    resume: bool = False
    """Continue the run in this folder with its settings (from its run.json). Without this flag a new run begins: models and
    statistics of the old one move to a folder `old-<UTC time>`, stored games stay."""
    tensorboard: Path | None = None
    """Folder for TensorBoard event files with the losses, the evaluations and, of a cluster, the numbers of each player;
    None: none are written. A new run sets the files of an earlier one aside."""
    seed: int = fixed(0)
    """Seed of the initial weights, of the sampled rows and, in the loop, of self-play (not on a cluster)."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 1, "steps")
        require_above_0(self, "minutes")
        require(
            self.steps is not None or self.minutes is not None,
            "--steps is None and --minutes is None; give one of them, or the run never ends",
        )
        require_seed(self.seed)
