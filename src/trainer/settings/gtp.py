"""The settings of the GTP engine: the flags of `python -m trainer.gtp`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.validation import LogLevel, require_at_least


@dataclass(frozen=True)
class GtpConfig(EvaluationSettings):
    """Let other programs play against a model, through GTP on standard input and output."""

    model: Path = Path("../data/models/latest.onnx")
    """ONNX model file, or `pretrained`: the model of the game that comes with the package."""
    env_id: str | None = None
    """Game to play; None = the one that the model names. A game of your own needs its file here, as in ./mygame.py."""
    simulations: int = 100
    """Search simulations before each move; 0 = the best move of the raw policy."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 0, "simulations")
