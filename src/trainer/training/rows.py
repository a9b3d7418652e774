"""The supply of new rows: training waits until there are enough of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from trainer.replay import ReplayBuffer
from trainer.settings.trainer import TrainerConfig
from trainer.training.schedule import Schedule
from trainer.training.waiting import wait_while

log = logging.getLogger(__name__)

REFRESH_SECONDS = 0.5
"""Time between two looks for new rows while training."""
SILENT_SECONDS = 30.0
"""Time without a new row after which a pause is mentioned in the log."""


class RowSupply:
    """Keeps the replay buffer up to date, and pauses training while rows are missing."""

    def __init__(
        self,
        replay: ReplayBuffer,
        config: TrainerConfig,
        schedule: Schedule,
        stop: Event,
        databases: Sequence[Path],
    ) -> None:
        """`databases`: those that the buffer reads, for messages."""
        self._replay = replay
        self._config = config
        self._schedule = schedule
        self._stop = stop
        self._databases = databases
        self._names = ", ".join(map(str, databases))
        self._gone = 0.0
        """Rows that a resumed run has used and that have left the database since."""

    def wait_for_first(self, done: int) -> bool:
        """Wait until there are rows for a batch; False if `stop` was set first. Raises WaitTimeoutError.

        The rows that the first `done` steps used count, even if they have left the database.
        """
        if not wait_while(self._missing_for_batch, self._config, self._stop):
            return False
        self._gone = max(0.0, self._needed(done) - self._replay.seen)
        return True

    def wait_for(self, step: int) -> None:
        """Read new rows now and then; pause until `step` may run, the time is over, or `stop` is set.

        A long pause without a new row is mentioned in the log.
        """
        config, replay = self._config, self._replay
        replay.refresh(every=REFRESH_SECONDS)
        needed = self._needed(step) - self._gone
        came, said = time.monotonic(), False
        while replay.seen < needed and not self._schedule.over and not self._stop.wait(0.02):
            if replay.refresh(every=0.1):
                came, said = time.monotonic(), False
            silent = time.monotonic() - came
            if silent >= SILENT_SECONDS and not said:
                log.warning(
                    "no new row of %s in %s for %.0f s; training waits, is an actor running?",
                    config.env_id,
                    self._names,
                    silent,
                )
                said = True

    def _missing_for_batch(self) -> str:
        """Read new rows, and say what is missing for a batch; "" if nothing is."""
        config, replay = self._config, self._replay
        replay.refresh()
        if len(replay) >= config.batch_size:
            return ""
        found = f"{len(replay)} rows of {config.env_id} in {self._names}"
        return found if any(db.exists() for db in self._databases) else f"no {self._names} yet"

    def _needed(self, step: int) -> float:
        """Rows that the first `step` steps need in all; none if training never pauses."""
        config = self._config
        return step * config.batch_size / config.passes if config.passes else 0.0
