"""Publishing models in a folder: written atomically, and removed if they are too many, or later than the checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from trainer.core.files import write_bytes
from trainer.core.log import Trouble
from trainer.run.folder import folder_for_old
from trainer.run.model_files import CHECKPOINT, LATEST, step_of, stored_model, stored_models

log = logging.getLogger(__name__)


class Retention(NamedTuple):
    """Which models stay in a folder: the newest `most`, or up to `most` spread evenly over the steps."""

    most: int
    interval: int | None = None
    """Steps per stretch of the run. If set, the newest model stays, and the first one of each stretch; the stretches are
    doubled until there are at most `most` models. None: the newest stay."""

    def kept(self, models: list[Path]) -> list[Path]:
        """Which of a folder's models stay; oldest first, as in `models`."""
        if self.interval is None:
            return models[-self.most :]
        newest, stretch = step_of(models[-1]), self.interval
        while newest > stretch and newest // stretch + 2 > self.most:  # one of each stretch, and the newest
            stretch *= 2
        first: dict[int, Path] = {}
        for model in models[:-1]:
            first.setdefault(step_of(model) // stretch, model)
        return [*first.values(), models[-1]][-self.most :]


def publish(content: bytes, folder: str | Path, step: int, retention: Retention | None = None) -> Path:
    """Write a model as `model_step_NNNNNN.onnx` and as `latest.onnx`; delete other models that `retention` doesn't keep.
    None: all stay.

    Returns the first one's path. Raises OSError if the files can't be written.
    """
    folder = Path(folder)
    path = stored_model(folder, step)
    write_bytes(path, content)
    write_bytes(folder / LATEST, content)
    if retention:
        models = stored_models(folder)
        for old in set(models).difference(retention.kept(models), [path]):  # the folder may hold models of later steps
            old.unlink(missing_ok=True)
    return path


def publish_again(folder: Path, step: int) -> bool:
    """Make the stored model of a step `latest.onnx`, unless that has its content. False if there is no such model.

    Raises OSError.
    """
    try:
        content = stored_model(folder, step).read_bytes()
    except FileNotFoundError:
        return False
    latest = folder / LATEST
    if not latest.exists() or latest.read_bytes() != content:
        write_bytes(latest, content)
    return True


def remove_models_after(folder: Path, step: int) -> None:
    """Remove the models of later steps than the checkpoint's, which a resumed run makes again. `latest.onnx` stays here.

    One beside that of the checkpoint is that of a run that was killed before it wrote the next: it is deleted. Others are
    those of a run that went on without being able to write one, and may be hours of work: they move to a folder
    `old-<UTC time>`, and the log says so. Raises OSError.
    """
    later = [model for model in stored_models(folder) if step_of(model) > step]
    if len(later) == 1 and stored_model(folder, step).exists():
        later[0].unlink(missing_ok=True)
    elif later:
        old = folder_for_old(folder)
        for model in reversed(later):  # if this process is killed, the one that may be left is the least advanced
            model.rename(old / model.name)
        log.warning(
            "%s is of step %d, and no later one was written: moved the %d models after it to %s",
            folder / CHECKPOINT,
            step,
            len(later),
            old,
        )


@contextmanager
def unwritable_files_reported(trouble: Trouble, step: int, last: bool) -> Iterator[None]:
    """Begin a `trouble` if the files of a step can't be written, and go on: earlier files stay, later steps write again.

    At the last step it is an error, because nothing will be written after it.
    """
    try:
        yield
    except OSError as error:
        if last:
            raise
        trouble.begin(
            f"can't write the files of step {step} ({error.filename or 'a file'}: {error.strerror}); those before it stay, "
            "training goes on and writes again"
        )
