"""Which training step a run had reached at which time, estimated from its files."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from trainer.core.json_values import is_number
from trainer.run.model_files import step_of, stored_models
from trainer.web.runs.replay_file import modified
from trainer.web.runs.run import Run

FOREVER = 1 << 62


@dataclass(frozen=True)
class Timeline:
    """Training steps by time. Stored games carry the time at which they were stored, so this tells which model was the
    newest at that time.
    """

    points: tuple[tuple[int, int], ...]
    """(Unix seconds, step), ascending in both."""

    @classmethod
    def of(cls, run: Run) -> Timeline:
        """From the evaluations, the points of stats.json that have a time, and the stored models."""
        content, _ = run.stats.read()
        points = [point for name in ("history", "eval_history") for point in (content or {}).get(name) or []]
        found: list[tuple[int, int]] = []
        for point in (*points, *run.evaluations()):
            if is_number(point.get("timestamp")) and point["timestamp"] and isinstance(point.get("step"), int):
                found.append((int(point["timestamp"]), point["step"]))
        for path in stored_models(run.folder.models):
            if modified(path):
                found.append((int(modified(path)), step_of(path)))
        ascending: list[tuple[int, int]] = []
        for time, step in sorted(set(found)):
            if not ascending or step > ascending[-1][1]:
                ascending.append((time, step))
        return cls(tuple(ascending))

    def step_at(self, time: int) -> int | None:
        """The step that the run had reached at a time; None before the first known step."""
        at = bisect.bisect_right(self.points, time, key=lambda point: point[0])
        return self.points[at - 1][1] if at else None

    def times_of(self, from_step: int | None, to_step: int | None) -> tuple[int, int] | None:
        """The first and the last second at which the run had reached `from_step` but had not passed `to_step`.

        None if there is no such second, as far as is known.
        """
        first, last = 0, FOREVER
        if from_step is not None:
            at = bisect.bisect_left(self.points, from_step, key=lambda point: point[1])
            if at == len(self.points):
                return None
            first = self.points[at][0]
        if to_step is not None:
            at = bisect.bisect_right(self.points, to_step, key=lambda point: point[1])
            last = self.points[at][0] - 1 if at < len(self.points) else FOREVER
        return (first, last) if first <= last else None
