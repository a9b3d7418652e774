"""How far a training run is, and the learning rate at that point."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from trainer.settings.trainer import TrainerConfig

NO_LIMIT = 10**9
"""Steps of a run that is only limited by minutes."""


class Due(NamedTuple):
    """What is due after a step."""

    model: bool
    """Publish a model, and store the run."""
    stats: bool
    """Take the losses into the statistics."""
    log: bool
    """Write a line of the log."""
    last: bool
    """The run ends; then all of the others are due, too."""


class Schedule:
    """Measures how far a run is, by its steps or its minutes, whichever is further."""

    def __init__(self, config: TrainerConfig) -> None:
        self._config = config
        self.last_step = NO_LIMIT if config.steps is None else config.steps
        """The step after which the run ends at the latest."""
        self._began: float | None = None
        self.seconds_before = 0.0
        """Seconds that the run had used before it was resumed."""
        self._next_model = 0.0
        """When the next model is due, in seconds of the run, if time says so."""

    def begin(self) -> None:
        """Start the clock. What comes before doesn't count: compiling a game takes longer than tic-tac-toe's whole run."""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds that the run has used."""
        return self.seconds_before + (0.0 if self._began is None else time.monotonic() - self._began)

    @property
    def time_used(self) -> float:
        """The share of the run's minutes that is used; 0 if the run is only limited by steps."""
        minutes = self._config.minutes
        return self.seconds / (60 * minutes) if minutes else 0.0

    @property
    def over(self) -> bool:
        """Whether the minutes are used up."""
        return self.time_used >= 1

    def over_after(self, step: int) -> bool:
        """Whether `step` is the last one: the steps are done, or the minutes are used up."""
        return step >= self.last_step or self.over

    def due_after(self, step: int, stopped: bool = False) -> Due:
        """What is due after `step`, which is the last one if the run was `stopped`. Changes nothing."""
        config = self._config
        last = stopped or self.over_after(step)
        if config.publish_seconds is None:
            model = step % config.checkpoint_interval == 0
        else:
            model = self.seconds >= self._next_model
        stats, line = step % config.stats_interval == 0, step % config.log_interval == 0
        return Due(model=model or last, stats=stats or last, log=line or last, last=last)

    def count_model(self) -> None:
        """Say that a model is made now: if time says when the next one is due, it runs from here."""
        if self._config.publish_seconds is not None:
            self._next_model = self.seconds + self._config.publish_seconds

    @property
    def bound(self) -> str:
        """The flag that ends the run first."""
        return "--minutes (of the whole run)" if self.over else "--steps (of the whole run)"

    def total_steps(self, step: int) -> int:
        """The steps of the whole run; if it is limited by minutes, an estimate from the pace so far."""
        used = min(self.time_used, 1.0)
        return min(self.last_step, int(step / used)) if used else self.last_step

    def progress(self, step: int) -> float:
        """The share of the run that is done, 0 to 1."""
        return min(max(step / self.last_step, self.time_used), 1.0)

    def learning_rate(self, step: int) -> float:
        """The learning rate of step number `step`, counted from 1.

        It falls along a cosine from `lr` to `lr * lr_min_ratio` (Loshchilov and Hutter 2017, without restarts), times a
        factor that rises linearly to 1 over `lr_warmup` steps (Goyal and others 2017).
        """
        config = self._config
        warm = min(1.0, step / config.lr_warmup) if config.lr_warmup else 1.0
        if not config.lr_schedule:
            return config.lr * warm
        share = (1 + math.cos(math.pi * self.progress(step))) / 2
        return config.lr * warm * (config.lr_min_ratio + (1 - config.lr_min_ratio) * share)
