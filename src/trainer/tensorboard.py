"""The losses as TensorBoard reads them: an optional copy, for people who live there."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from trainer.errors import ConfigError
from trainer.stats import TrainingPoint


class EventFiles:
    """Those of a folder, one scalar a number of a point."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError where the package `tensorboard` is missing."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError(
                "--tensorboard needs the package tensorboard, which is not installed; "
                'pip install "cartridge-trainer[tensorboard]"'
            ) from None
        self._writer = SummaryWriter(str(folder))

    def add(self, point: TrainingPoint) -> None:
        """Write one point; it is on disk at once."""
        for name, value in asdict(point).items():
            if name != "step":
                self._writer.add_scalar(name, value, point.step)
        self._writer.flush()
