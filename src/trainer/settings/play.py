"""The settings of a game in the terminal: the flags of `python -m trainer.play`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.validation import LogLevel, require, require_at_least

MOST_SIMULATIONS = 10_000


@dataclass(frozen=True)
class PlayConfig(EvaluationSettings):
    """Play against a model in the terminal, with the arrow keys or by typing moves."""

    env_id: str | None = None
    """Game to play. None: the one that the model in --model or --data-dir names, or without these tictactoe. A game of your
    own needs its file here, as in ./mygame.py."""
    model: Path | None = None
    """ONNX model file, or `pretrained`: the one that comes with the package. None: the newest model in --data-dir.
    Without --data-dir: the newest in data/<env_id>, else the newest in data if it is of this game, else the pretrained
    model."""
    data_dir: Path | None = None
    """Folder of a run."""
    seat: Literal["first", "second"] = "first"
    """Your seat."""
    simulations: int = 100
    """Simulations before each of the model's moves; 0: it plays by its raw policy."""
    log_level: LogLevel = "WARNING"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 0, "simulations")
        require(
            self.model is None or self.data_dir is None,
            f"--model is {self.model} and --data-dir is {self.data_dir}; each names a model, so give one of them",
        )
        given = self.simulations
        require(given <= MOST_SIMULATIONS, f"--simulations is {given}; at most {MOST_SIMULATIONS:,} are possible here")
