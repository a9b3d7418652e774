"""The evaluations of a run's models while it learns, which go to `evaluations.jsonl`."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from trainer.core.errors import DeviceError, TrainerError
from trainer.evaluators.loader import ModelLoader
from trainer.measure.anchor import Anchor, anchor_of
from trainer.measure.progress import evaluate_step
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.run.model_files import stored_model

log = logging.getLogger(__name__)

GAMES = 200
EVERY = 5.0
"""Minimum seconds between evaluations."""
RUN_SHARE = 0.001
"""The same as a share of the time since the loop began, so that a run of a week has some thousands: each takes a line of
`evaluations.jsonl`, and memory in the loop, the trainer and the page."""
SHARE = 0.05
"""Share of a core that evaluations may take: a large network on a CPU takes seconds for one. Their own processor time
counts, because on a busy machine, or one that slept, an evaluation may last for minutes or hours."""


class Evaluations:
    """Evaluates the newest model of a run now and then, one at a time.

    One thread makes all of them, because an evaluator on a GPU keeps what belongs to a thread. The first evaluation of a
    game may take minutes, because its positions are visited.
    """

    def __init__(self, run: RunFolder, loader: ModelLoader, seed: int, resumed: bool) -> None:
        """`loader` makes evaluators of the models of `run`; `seed` fixes the games against random play."""
        self.log = EvaluationLog(run.evaluations)
        self.latest: dict[str, Any] | None = None
        """The last result; None before the first."""
        self._run = run
        self._seed = seed
        self._loader = loader
        self._anchor = None if resumed else Anchor(loader.env_id, seed)
        self._models: SimpleQueue[str] = SimpleQueue()
        self._thread = Thread(target=self._work, daemon=True)
        self._idle = Event()
        self._idle.set()
        self._failure: Exception | None = None
        self._evaluated: set[str] = set()
        """File names of the model that was asked for last, and of a newer one that was measured in its place."""
        self._not_before = 0.0
        self._started = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether a model is being evaluated."""
        return not self._idle.is_set()

    def begin_if_due(self, newest: str) -> None:
        """Begin to evaluate the newest model, named by `newest`, if it is another one and it is time. Raises what ended an
        earlier evaluation, unless that was only reported."""
        if self._failure:
            raise self._failure
        if self._is_new(newest) and not self.busy and time.monotonic() >= self._not_before:
            self._begin(newest)

    def finish(self, newest: str) -> None:
        """Wait for the evaluation in progress, then evaluate the newest model if it isn't yet. Empty: there is no model."""
        self.wait()
        if self._is_new(newest):
            self._begin(newest)
            self.wait()

    def wait(self) -> None:
        """Return when no evaluation is in progress. Raises what ended it, unless that was only reported."""
        self._idle.wait()
        if self._failure:
            raise self._failure

    def _is_new(self, newest: str) -> bool:
        """Whether there is a model, and it wasn't evaluated yet."""
        return bool(newest) and Path(newest).name not in self._evaluated

    def _begin(self, newest: str) -> None:
        self._evaluated = {Path(newest).name}
        self._idle.clear()
        self._models.put(newest)
        if not self._thread.ident:
            self._thread.start()

    def _work(self) -> None:
        """What the thread does."""
        while self._models.get():
            try:
                self._evaluate()
            except Exception as error:  # the main thread raises it
                self._failure = error
            finally:
                self._idle.set()

    def _evaluate(self) -> None:
        """Evaluate the newest model; a model that can't be used, or a full disk, is only reported."""
        # A thread that waits for a GPU uses no core, so there it is the time that counts.
        clock = time.monotonic if self._loader.acceleration else time.thread_time
        began = clock()
        try:
            try:
                self._measure()
            except DeviceError as error:  # it would fail again; those who play and learn may have no trouble
                log.warning("%s; evaluating the run's models on the CPU from now on", error)
                self._loader = ModelLoader(self._loader.env_id)
                self._anchor = None  # its model is on the device
                self._measure()
        except (TrainerError, OSError) as error:
            log.warning("the newest model isn't evaluated (%s); the run goes on", error)
        used = clock() - began
        # The first one also compiles, and visits the positions of a small game: the next ones are shorter.
        pause = 0.0 if self._not_before == 0 else used * (1 / SHARE - 1)
        now = time.monotonic()
        self._not_before = now + max(EVERY, pause, RUN_SHARE * (now - self._started))

    def _measure(self) -> None:
        """Evaluate the newest model, and keep the result. Raises TrainerError or OSError."""
        if self._anchor is None:
            self._anchor = anchor_of(self._loader, self._seed, self.log, self._run.models)
        self.latest = evaluate_step(self._run.latest_model, self._loader, GAMES, self._seed, anchor=self._anchor)
        if (step := self.latest["step"]) is not None:  # the trainer may just have published a newer one
            self._evaluated.add(stored_model(self._run.models, step).name)
        self.log.append(self.latest)
