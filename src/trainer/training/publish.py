"""Publishing models in a folder: written atomically, with old ones deleted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from trainer.core.files import write_bytes
from trainer.run.model_files import LATEST, step_of, stored_models

log = logging.getLogger(__name__)


class Retention(NamedTuple):
    """Which models stay in a folder: the newest `most`, or up to `most` spread evenly over the steps."""

    most: int
    interval: int | None = None
    """Steps between two published models. If set, the newest model stays, and those at multiples of this number of steps,
    doubled until there are at most `most` models. None: the newest stay."""

    def kept(self, models: list[Path]) -> list[Path]:
        """Which of a folder's models stay; oldest first, as in `models`."""
        if self.interval is None:
            return models[-self.most :]
        newest, spacing = step_of(models[-1]), self.interval
        while newest > spacing and newest // spacing + 2 > self.most:  # step 0, the multiples, the newest
            spacing *= 2
        spread = [model for model in models[:-1] if step_of(model) % spacing == 0]
        return [*spread, models[-1]][-self.most :]


def publish(content: bytes, folder: Path, step: int, retention: Retention) -> Path:
    """Write a model as `model_step_NNNNNN.onnx` and as `latest.onnx`; delete the models that `retention` doesn't keep."""
    path = folder / f"model_step_{step:06d}.onnx"
    write_bytes(path, content)
    write_bytes(folder / LATEST, content)
    models = stored_models(folder)
    for old in set(models).difference(retention.kept(models)):
        old.unlink(missing_ok=True)
    return path


@contextmanager
def unwritable_files_reported(step: int, last: bool) -> Iterator[None]:
    """Report that the files of a step can't be written, and go on: earlier files stay, and later steps write again.

    At the last step it is an error, because nothing will be written after it.
    """
    try:
        yield
    except OSError as error:
        if last:
            raise
        log.warning(
            "can't write the files of step %d (%s: %s); those before it stay, training goes on and writes again",
            step,
            error.filename or "a file",
            error.strerror,
        )
