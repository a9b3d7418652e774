"""Hot reload: a model file that may appear or be replaced at any time."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from trainer.core.errors import DeviceError, ModelError, TrainerError
from trainer.core.files import signature_of
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.run.model_files import read_model

log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """A model, and when it was loaded."""

    evaluator: Evaluator | None = None
    at: float = 0.0
    """Unix seconds; 0 if there is none."""


class ModelFile:
    """A model file that may appear or be replaced at any time; `current` is the last good one."""

    def __init__(self, path: Path, loader: ModelLoader, every: float = 0.2, look: bool = True) -> None:
        """Load the model at `path` if there is one; `poll` looks again, at most once in `every` seconds. `look` false: the
        first `poll` loads it.

        `problem` says why the present file can't be used; None if it can, or if there is none.
        """
        self.path = path
        self.problem: str | None = None
        self._loader = loader
        self._every = every
        self._next_look = 0.0
        self._seen: tuple[int, int, int] | None = None
        self._loaded = self._before = Loaded()
        self._changing = Lock()
        if look:
            self.poll()

    @property
    def current(self) -> Evaluator | None:
        """The last good model; None before the first one."""
        return self._loaded.evaluator

    @property
    def loaded_at(self) -> float:
        """When `current` was loaded, in Unix seconds; 0 if there is none."""
        return self._loaded.at

    def poll(self) -> bool:
        """Reload the model if its file was replaced; True if `current` changed.

        A file that can't be used is reported once, and the last good model stays. What can't be read is tried again by the
        next call. Raises DeviceError if the device fails that should evaluate the model.
        """
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + self._every
        try:
            signature = signature_of(self.path)
            if signature == self._seen:
                return False
            content = read_model(self.path)
        except FileNotFoundError:
            self._seen = self.problem = None
            return False
        except (OSError, ModelError) as error:
            self._seen = None
            if str(error) != self.problem:
                self._report(error)
            return False
        self._seen = signature
        try:
            evaluator = self._loader.made_of(content, str(self.path))
        except DeviceError as error:
            self.problem = str(error)
            raise
        except ModelError as error:
            self._report(error)
            return False
        with self._changing:
            self._before, self._loaded, self.problem = self._loaded, Loaded(evaluator, time.time()), None
        return True

    def give_up(self, evaluator: Evaluator, error: TrainerError) -> None:
        """Return to the model before `evaluator`, which was loaded but fails in use; to none if there was none."""
        with self._changing:  # every thread that plays with it gives it up
            if self.current is not evaluator:
                return
            self._loaded, self._before = self._before, Loaded()
            self.problem = str(error)
            before = self.current
        log.warning("%s; %s", error, "going back to the model before it" if before else "going on without one")

    def _report(self, error: Exception) -> None:
        """Keep and log why the present file can't be used."""
        self.problem = str(error)
        log.warning("%s; %s", error, "keeping the model before it" if self.current else "going on without one")
