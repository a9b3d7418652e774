"""The trainer's statistics: `stats.json`, which also holds a copy of the loop's evaluations."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from trainer.core.json_values import read_json_object, write_json
from trainer.run.evaluations import EvaluationLog, thinned

HISTORY_POINTS = 600
"""Above this many points every second one is dropped. Even, so that the newest stays."""
EVALUATIONS = 100
"""Evaluations that stats.json holds beside the newest ten; the file of all of them is beside it."""


WRITE_EVERY = 0.25
"""Seconds from one write of stats.json to the next: a write takes as long as ten training steps."""


class TrainingPoint(NamedTuple):
    """The losses of one step's batch."""

    step: int
    total_loss: float
    policy_loss: float
    value_loss: float
    learning_rate: float
    target_entropy: float | None = None
    """Mean entropy of the policy targets, in nats: a lower bound of the policy loss. None in runs of earlier versions."""

    def __str__(self) -> str:
        return (
            f"loss {self.total_loss:.4f} (policy {self.policy_loss:.4f}, value {self.value_loss:.4f}), step {self.step}"
        )


@dataclass
class TrainingStats:
    """The content of stats.json."""

    env_id: str
    total_steps: int
    step: int = 0
    total_loss: float = 0.0
    policy_loss: float = 0.0
    value_loss: float = 0.0
    learning_rate: float = 0.0
    samples_seen: int = 0
    replay_buffer_size: int = 0
    bad_rows: int = 0
    last_checkpoint: str = ""
    history: list[TrainingPoint] = field(default_factory=list)

    def record(self, point: TrainingPoint) -> None:
        """Make `point` the newest. The history stays bounded over any number of steps, its points evenly spread."""
        self.step, self.learning_rate = point.step, point.learning_rate
        self.total_loss, self.policy_loss, self.value_loss = point.total_loss, point.policy_loss, point.value_loss
        kept = self.history
        if len(kept) > 2 and kept[-1].step - kept[-2].step < kept[1].step - kept[0].step:
            kept.pop()  # it was kept only because it was the newest
        kept.append(point)
        if len(kept) > HISTORY_POINTS:
            kept[:] = kept[::2]

    def fields(self) -> dict[str, Any]:
        """All fields as plain values."""
        values = {own.name: getattr(self, own.name) for own in fields(self)}
        return values | {"history": [point._asdict() for point in self.history]}

    def restore(self, values: dict[str, Any]) -> None:
        """Continue from the `fields` of an earlier run, but keep the length of this one."""
        stored = values | {"history": [TrainingPoint(**point) for point in values["history"]]}
        for own in fields(self):
            if own.name in stored and own.name != "total_steps":
                setattr(self, own.name, stored[own.name])


class StatsFile:
    """stats.json, replaced often enough to be watched and rarely enough not to slow training down."""

    def __init__(self, path: Path, evaluations: EvaluationLog, clock: Callable[[], float] = time.monotonic) -> None:
        """`evaluations` are written as well. `clock` returns seconds."""
        self._path = path
        self._evaluations = evaluations
        self._clock = clock
        self._next = -math.inf

    def write(self, stats: TrainingStats, at_once: bool = False) -> bool:
        """Replace the file, unless it was written, or failed, less than WRITE_EVERY seconds ago; returns whether it was.

        `at_once`: always.
        """
        now = self._clock()
        if not at_once and now < self._next:
            return False
        self._next = now + WRITE_EVERY
        others = {"timestamp": int(time.time())} | evaluation_fields(self._evaluations)
        write_json(self._path, stats.fields() | others)
        return True


def evaluation_fields(evaluations: EvaluationLog) -> dict[str, Any]:
    """What stats.json says of the evaluations."""
    found = evaluations.read()
    return {"last_eval": found[-1] if found else None, "eval_history": thinned(found, EVALUATIONS)}


def merge_evaluations(path: Path, evaluations: EvaluationLog) -> None:
    """Copy the newest evaluations into a stats.json that no trainer writes any more."""
    content = read_json_object(path)
    if content is not None and evaluations.read():
        write_json(path, content | evaluation_fields(evaluations))
