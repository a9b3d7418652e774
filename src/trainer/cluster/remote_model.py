"""The newest model of a run on another machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from trainer.cluster.shelf import model_of
from trainer.cluster.transport import Transport
from trainer.core.errors import ModelError, ReplayUnavailableError
from trainer.core.files import write_bytes
from trainer.core.log import Trouble
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.interface import Evaluator

log = logging.getLogger(__name__)

ASK_SECONDS = 0.5
"""Time between two questions for a newer model. The answer is short while there is none, and nobody waits at the hub."""


class RemoteModel:
    """A model source that asks the hub for newer models and keeps the newest in a local file."""

    def __init__(self, transport: Transport, file: ModelFile, clock: Callable[[], float] = time.monotonic) -> None:
        """`file` loads what is written to its path. `clock` tells seconds."""
        self._transport = transport
        self._file = file
        self._clock = clock
        self._known: str | None = None
        self._trouble = Trouble(log)
        self._next_question = clock()

    @property
    def current(self) -> Evaluator | None:
        """The newest good model; None before the first one."""
        return self._file.current

    def poll(self) -> bool:
        """Look for a newer model; True if `current` changed."""
        if self._clock() >= self._next_question:
            self._ask()
            self._next_question = self._clock() + ASK_SECONDS
        return self._file.poll()

    def give_up(self, evaluator: Evaluator, error: ModelError) -> None:
        """Return to the model before `evaluator`, which was loaded but fails in use."""
        self._file.give_up(evaluator, error)

    def _ask(self) -> None:
        """Fetch a newer model, if there is one and the hub answers; the next question tries again."""
        try:
            model = self._transport.newest_model(self._known)
            if model is None or model_of(model.content).identity != model.identity:
                return
            write_bytes(self._file.path, model.content, durable=False)
        except (ConnectionError, TimeoutError, ReplayUnavailableError) as error:
            log.debug("no answer about models: %s", error)
        except OSError as error:
            self._trouble.begin(f"can't write the newest model ({error.strerror}); trying again")
        else:
            self._known = model.identity
            self._trouble.end()
