"""Hot reload: a model file that may appear or be replaced at any time."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Lock

from trainer.core.errors import ModelError
from trainer.core.files import signature_of
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.onnx_file import Prepare, prepared
from trainer.run.model_files import read_model

log = logging.getLogger(__name__)


class ModelFile:
    """A model file that may appear or be replaced at any time; `current` is the last good one."""

    def __init__(
        self,
        path: Path,
        env_id: str,
        obs_size: int,
        num_actions: int,
        every: float = 0.2,
        prepare: Prepare | None = None,
    ) -> None:
        """Load the model at `path` if there is one; `poll` looks again, at most once in `every` seconds.

        `prepare` gets the file's content and its evaluator and returns the evaluator to use, perhaps a faster one; it raises
        ModelError for a model that can't be used. `problem` says why the present file can't be used; None if it can, or if
        there is none. `loaded_at` is the time at which `current` was loaded, in Unix seconds.
        """
        self.path = path
        self.current: Evaluator | None = None
        self.problem: str | None = None
        self.loaded_at = 0.0
        self._dimensions = (env_id, obs_size, num_actions)
        self._every = every
        self._prepare = prepare
        self._next_look = 0.0
        self._seen: tuple[int, int, int] | None = None
        self._before: Evaluator | None = None
        self._changing = Lock()
        self.poll()

    def poll(self) -> bool:
        """Reload the model if its file was replaced; True if `current` changed.

        A file that can't be used is reported once, and the last good model stays.
        """
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + self._every
        try:
            signature = signature_of(self.path)
        except OSError:
            return False
        if signature == self._seen:
            return False
        self._seen = signature
        try:
            loaded = prepared(read_model(self.path), str(self.path), *self._dimensions, self._prepare)
        except ModelError as error:
            self.problem = str(error)
            log.warning("%s; %s", error, "keeping the model before it" if self.current else "going on without one")
            return False
        with self._changing:
            self._before, self.current = self.current, loaded
        self.problem, self.loaded_at = None, time.time()
        return True

    def give_up(self, evaluator: Evaluator, error: ModelError) -> None:
        """Return to the model before `evaluator`, which was loaded but fails in use; to none if there was none."""
        with self._changing:  # every thread that plays with it gives it up
            if self.current is not evaluator:
                return
            self.current, self._before = self._before, None
            self.problem = str(error)
            before = self.current
        log.warning("%s; %s", error, "going back to the model before it" if before else "going on without one")
