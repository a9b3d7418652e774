"""Models in a folder: published atomically, and which of them stay."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from trainer.core.files import write_bytes
from trainer.run.model_files import LATEST, step_of, stored_models

log = logging.getLogger(__name__)


class Kept(NamedTuple):
    """Which models stay in the folder: the newest `most`, or `most` that are spread over the steps."""

    most: int
    interval: int | None = None
    """Steps between two models; then those stay that are a multiple of it, doubled as often as it needs, and the newest."""

    def among(self, models: list[Path]) -> list[Path]:
        """Those that stay, of all the models of a folder, the oldest first."""
        if self.interval is None:
            return models[-self.most :]
        newest, spacing = step_of(models[-1]), self.interval
        while newest > spacing and newest // spacing + 2 > self.most:  # step 0, the multiples, the newest
            spacing *= 2
        spread = [model for model in models[:-1] if step_of(model) % spacing == 0]
        return [*spread, models[-1]][-self.most :]


def publish(content: bytes, folder: Path, step: int, kept: Kept) -> Path:
    """Write a model as `model_step_NNNNNN.onnx` and as `latest.onnx`, and delete all but those that are `kept`."""
    path = folder / f"model_step_{step:06d}.onnx"
    write_bytes(path, content)
    write_bytes(folder / LATEST, content)
    models = stored_models(folder)
    for old in set(models).difference(kept.among(models)):
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
