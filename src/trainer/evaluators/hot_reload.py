"""A model file that may appear or be replaced at any time."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from trainer.core.errors import ModelError
from trainer.evaluators.onnx_file import OnnxModel
from trainer.run.model_files import read_model

log = logging.getLogger(__name__)


Prepare = Callable[[bytes, OnnxModel], OnnxModel]


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
        """Look at `path` now; `poll` looks again, but not more often than `every` seconds.

        `prepare` may put a model in the place of the one that was loaded, which it is given with the file's content; it
        raises ModelError for one that can't be used.
        `problem` says why the file that lies there now can't be used; None where it can, or where there is none.
        `loaded_at`: Unix seconds at which `current` was loaded.
        """
        self.path = path
        self.current: OnnxModel | None = None
        self.problem: str | None = None
        self.loaded_at = 0.0
        self._dimensions = (env_id, obs_size, num_actions)
        self._every = every
        self._prepare = prepare
        self._next_look = 0.0
        self._seen: tuple[int, int, int] | None = None
        self._before: OnnxModel | None = None
        self.poll()

    def poll(self) -> bool:
        """Reload the model if its file was replaced; True when `current` changed.

        A file that can't be used is reported once, and the last good model stays.
        """
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + self._every
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        signature = (found.st_mtime_ns, found.st_size, found.st_ino)
        if signature == self._seen:
            return False
        self._seen = signature
        try:
            content = read_model(self.path)
            loaded = OnnxModel(content, str(self.path), *self._dimensions)
            loaded = self._prepare(content, loaded) if self._prepare else loaded
        except ModelError as error:
            self.problem = str(error)
            log.warning("%s; %s", error, "keeping the model before it" if self.current else "going on without one")
            return False
        self._before, self.current = self.current, loaded
        self.problem, self.loaded_at = None, time.time()
        return True

    def give_up(self, model: OnnxModel, error: ModelError) -> None:
        """Go back to the model before `model`, which was loaded but fails in use; None where there was none."""
        if self.current is model:
            self.current, self._before = self._before, None
            self.problem = str(error)
            log.warning(
                "%s; %s", error, "going back to the model before it" if self.current else "going on without one"
            )
