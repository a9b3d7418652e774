"""What a run writes: models, the checkpoint, the statistics, and TensorBoard's files. What was there before is set aside.

B batch.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.core.json_values import read_json_object
from trainer.core.log import Trouble
from trainer.export import Exporter
from trainer.game_config import GameConfig
from trainer.gpu.devices import errors_named
from trainer.network import NetworkFile
from trainer.run.cluster_players import players_in
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.run.training_statistics import StatsFile, TrainingPoint
from trainer.settings.trainer import TrainerConfig
from trainer.training.beginning import take_folder
from trainer.training.publish import Retention, publish, publish_again, unwritable_files_reported
from trainer.training.run_state import RunState
from trainer.training.schedule import Due
from trainer.training.tensorboard import EventFiles

log = logging.getLogger(__name__)


class RunOutput:
    """Writes what a run has learned."""

    def __init__(
        self, config: TrainerConfig, run: RunState, game: GameConfig, folder: RunFolder, file: NetworkFile | None
    ) -> None:
        """Nothing is written yet. `file`: that of `--network-file`.

        Raises ModelError for a network that can't be exported, ConfigError if a package that is needed isn't installed.
        """
        self._config = config
        self._run = run
        self._obs_size = game.metadata.obs_size
        self._folder = folder
        self._file = file
        self._exporter = Exporter(run.learner.published, game.metadata, game.stamp)
        interval = config.checkpoint_interval if config.spread_checkpoints else None
        self._retention = Retention(config.max_checkpoints, interval)
        self._events = EventFiles(config.tensorboard) if config.tensorboard else None
        self._evaluations = EvaluationLog(folder.evaluations)
        self._stats_file = StatsFile(config.stats, self._evaluations)
        self._published = False
        self._models_fail, self._statistics_fail = Trouble(log), Trouble(log)

    def begin(self) -> None:
        """Take the folder, begin TensorBoard's files, and publish the network that the run begins with if that is wanted.

        That is the untrained one of a new run. Of a run that is resumed it is that of the checkpoint, because `latest.onnx`
        may be gone or of another run. That model doesn't count for the time at which the next one is due. Raises OSError.
        """
        done, models = self._run.done, self._config.model_dir
        take_folder(self._config, self._folder, self._file, done)
        if self._events:
            self._events.begin(done)
        if not self._config.publish_first or (done and publish_again(models, done)):
            return
        blank = np.zeros((1, self._obs_size), np.float32)
        with errors_named("the start of training"):
            content = self._exporter.to_bytes(done, blank, self._run.schedule.progress(done))
            publish(content, models, done, self._retention)
        self._published = True

    @property
    def has_published(self) -> bool:
        """Whether `latest.onnx` is a model of this run; until then it may be an earlier run's."""
        return self._published or bool(self._run.stats.last_checkpoint)

    def write(self, due: Due, point: TrainingPoint, observation: NDArray[np.float32], rows: int) -> None:
        """Write what is due after the step of `point`; a model is compared with torch on these observations [B, obs_size].

        `rows`: how many there are to learn from. Files that can't be written are reported once, and written again later.
        Raises OSError if it is the last step.
        """
        run, step = self._run, point.step
        if due.stats and self._events:
            actors: dict[str, Any] = {}
            with suppress(OSError):  # another user's, say: the losses are written without them
                actors = read_json_object(self._folder.actor_stats) or {}
            self._events.add(point, self._evaluations, players_in(actors, time.time()))
        if due.model:
            with unwritable_files_reported(self._models_fail, step, due.last):
                self._publish(step, observation)
                run.checkpoint(step).save(self._config.model_dir)
                self._models_fail.end()
        if due.stats:
            with unwritable_files_reported(self._statistics_fail, step, due.last):
                if self._stats_file.write(run.stats, at_once=due.last):
                    self._statistics_fail.end()
        if due.log:
            log.info("%s of %d, %d rows", point, run.schedule.total_steps(step), rows)

    def write_missing_statistics(self) -> None:
        """Write the statistics of a run that is over, if its process died before writing them. Raises OSError."""
        run = self._run
        if (read_json_object(self._config.stats) or {}).get("step") == run.done:
            return
        run.stats.total_steps = run.schedule.total_steps(run.done)
        self._stats_file.write(run.stats, at_once=True)

    def close(self) -> None:
        """Close TensorBoard's files."""
        if self._events:
            self._events.close()

    def _publish(self, step: int, observation: NDArray[np.float32]) -> None:
        """Publish the model after a step. Raises OSError."""
        run = self._run
        run.learner.steps.write_back()
        content = self._exporter.to_bytes(step, observation, run.schedule.progress(step))
        run.stats.last_checkpoint = str(publish(content, self._config.model_dir, step, self._retention))
