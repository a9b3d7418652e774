"""The settings of an analysis of many positions: the flags of `python -m trainer.analyse`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.validation import LogLevel, require_at_least, require_output

STANDARD_STREAM = Path("-")
"""Stands for standard input, or for standard output."""


@dataclass(frozen=True)
class AnalyseConfig(EvaluationSettings):
    """Write what a model thinks of many positions, one JSON object per line."""

    model: Path = Path("../data/models/latest.onnx")
    """ONNX model file, or `pretrained`: the model of the game that comes with the package."""
    env_id: str | None = None
    """Game of the positions; None = the one that the model names. A game of your own needs its file here, as in
    ./mygame.py."""
    positions: Path = STANDARD_STREAM
    """File with a position per line: the moves that lead to it from the first position, as in `d3 c5` or
    {"moves": [19, 34]}; `-` = standard input."""
    simulations: int = 400
    """Search simulations in each position; 0 = the network alone."""
    json: Path = STANDARD_STREAM
    """File to write, with a line for each position; `-` = standard output."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 0, "simulations")
        require_output(None if self.json == STANDARD_STREAM else self.json, "--json")
