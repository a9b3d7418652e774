"""An optional copy of the losses for TensorBoard."""

from __future__ import annotations

import logging
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.run.training_statistics import TrainingPoint

log = logging.getLogger(__name__)


class EventFiles:
    """TensorBoard's event files in a folder, with one scalar per number of a training point."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError if the package `tensorboard` is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError(
                "--tensorboard needs the package tensorboard, which is not installed; "
                "install it with: pip install 'tensorboard>=2.15'"
            ) from None
        self._writer: SummaryWriter | None = SummaryWriter(str(folder))

    def add(self, point: TrainingPoint) -> None:
        """Write one point to disk. If that fails, log a warning, write no further points, and let training go on."""
        if self._writer is None:
            return
        try:
            for name, value in point._asdict().items():
                if name != "step":
                    self._writer.add_scalar(name, value, point.step)
            self._writer.flush()
        except OSError as error:
            log.warning("can't write the losses for TensorBoard (%s); training goes on without them", error.strerror)
            self._writer = None
