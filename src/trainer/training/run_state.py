"""A run so far: the network, the optimizer, the schedule, the statistics and the random numbers; and its files."""

from __future__ import annotations

import logging
import os
import time

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.core.errors import ConfigError
from trainer.core.files import remove_leftovers
from trainer.core.json_values import read_json_object
from trainer.export import Exporter, begin_with
from trainer.game_config import load_game_config
from trainer.gpu.devices import errors_named
from trainer.network import NetworkFile, new_network
from trainer.replay import ReplayBuffer, databases_of
from trainer.run.actor_statistics import players_in
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder, set_aside
from trainer.run.kept_network import keep_network, require_kept
from trainer.run.model_files import CHECKPOINT, LATEST
from trainer.run.record import TRAIN, recorded_settings, require_same_run, write_record
from trainer.run.training_statistics import StatsFile, TrainingPoint, TrainingStats
from trainer.settings.trainer import TrainerConfig
from trainer.training.checkpoint import Checkpoint, load_checkpoint
from trainer.training.learner import Learner
from trainer.training.publish import Retention, delete_models_after, publish
from trainer.training.schedule import Schedule
from trainer.training.steps.device_batches import Unpacker
from trainer.training.tensorboard import EventFiles

log = logging.getLogger(__name__)


class RunState:
    """What a run needs for its next step, and where it writes what it has learned."""

    def __init__(self, config: TrainerConfig, device: torch.device) -> None:
        """An untrained network. Nothing is written yet."""
        if device.type == "cpu":
            torch.set_num_threads(1)  # small networks are as fast on one thread, and actors use the other cores
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # batches have one size: let cuDNN time its algorithms once
            torch.set_float32_matmul_precision("high")  # products of what isn't computed in bfloat16
        self._config = config
        self.databases = databases_of(config.db)
        self.game = game = load_game_config(config.env_id, *self.databases)
        self._run = RunFolder(config.stats.parent)
        torch.manual_seed(config.seed)
        self.generator = np.random.default_rng([config.seed, 1])
        self._file = NetworkFile(config.network_file) if config.network_file else None
        network = new_network(config, game, self._file)
        if config.start_from and not (config.resume and (config.model_dir / CHECKPOINT).exists()):
            begin_with(network, config.start_from, game.metadata.env_id)
        with errors_named("the start of training"):
            unpacker = None if device.type == "cpu" else Unpacker(game.metadata, game.symmetry_tables, device)
            self.learner = Learner(network.to(device), config, unpacker)
        self._exporter = Exporter(self.learner.published, game.metadata, game.stamp)
        interval = config.checkpoint_interval if config.spread_checkpoints else None
        self._retention = Retention(config.max_checkpoints, interval)
        self.schedule = Schedule(config)
        self.stats = TrainingStats(config.env_id, self.schedule.total_steps(0))
        self._events = EventFiles(config.tensorboard) if config.tensorboard else None
        self._evaluations = EvaluationLog(self._run.path)
        self.stats_file = StatsFile(config.stats, self._evaluations)
        self.done = 0
        """Steps that were done before."""

    def take_up(self) -> bool:
        """Go on from the checkpoint if the run is resumed, else set an earlier run aside; False if the run is over."""
        config = self._config
        remove_leftovers(config.model_dir)
        remove_leftovers(config.stats.parent)
        checkpoint = load_checkpoint(config.model_dir, config.env_id) if config.resume else None
        if checkpoint:
            require_same_run(self._run.record, TRAIN, config)
            self._require_same_models()
            if self._file:
                require_kept(self._file.path, self._file.text, config.model_dir)
            self._restore(checkpoint)
            if self.schedule.over_after(self.done):
                log.info("the run is over: %d steps are done; to go on give more %s", self.done, self.schedule.bound)
                return False
            delete_models_after(config.model_dir, self.done)
        else:
            if config.resume:
                log.info("there is no %s in %s to resume: starting from the beginning", CHECKPOINT, config.model_dir)
            if old := set_aside(config.model_dir, config.stats):
                log.info(
                    "set the earlier run of this folder aside in %s; %s stays until the first new model", old, LATEST
                )
            keep_network(self._file.text if self._file else None, config.model_dir)
        write_record(self._run.record, TRAIN, config)
        if self._events:
            self._events.begin(self.done)
        if config.publish_first and not self.done:
            blank = np.zeros((1, self.game.metadata.obs_size), np.float32)
            with errors_named("the start of training"):
                publish(self._exporter.to_bytes(0, blank), config.model_dir, 0, self._retention)
        return True

    def _require_same_models(self) -> None:
        """Raise ConfigError if run.json, beside the statistics, is that of a run with other models."""
        recorded = recorded_settings(self._run.record, TRAIN, TrainerConfig)
        ours = self._config.model_dir
        if recorded and os.path.realpath(recorded.model_dir) != os.path.realpath(ours):
            raise ConfigError(
                f"{self._run.record} is of the run with the models in {recorded.model_dir}, not of that in {ours}; give the "
                f"--stats that the run in {ours} was started with"
            )

    def note(self, point: TrainingPoint, replay: ReplayBuffer) -> None:
        """Take a step into the statistics, and into TensorBoard's files."""
        stats = self.stats
        stats.samples_seen = point.step * self._config.batch_size
        stats.replay_buffer_size = len(replay)
        stats.bad_rows = replay.bad_rows
        stats.total_steps = self.schedule.total_steps(point.step)
        stats.record(point)
        if self._events:
            players = players_in(read_json_object(self._run.actor_stats) or {}, time.time())
            self._events.add(point, self._evaluations, players)

    def publish(self, step: int, observation: NDArray[np.float32]) -> None:
        """Publish the model after a step; it is compared with torch on these observations [B, obs_size]. Raises OSError."""
        self.learner.steps.write_back()
        content = self._exporter.to_bytes(step, observation, self.schedule.progress(step))
        self.stats.last_checkpoint = str(publish(content, self._config.model_dir, step, self._retention))

    def save(self, step: int) -> None:
        """Write the checkpoint after a step. Raises OSError."""
        state = dict(self.generator.bit_generator.state)
        fields = self.stats.fields()
        run = Checkpoint(self._config.env_id, step, self.schedule.seconds, self.learner.state(), state, fields)
        run.save(self._config.model_dir)

    def close(self) -> None:
        """Close TensorBoard's files."""
        if self._events:
            self._events.close()

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint. Raises CheckpointError if it is of another network."""
        with errors_named("the start of training"):
            self.learner.restore(checkpoint.learner)
        self.generator.bit_generator.state = checkpoint.generator
        self.stats.restore(checkpoint.stats)
        self.schedule.seconds_before = checkpoint.seconds
        self.done = checkpoint.step
        log.info("resuming after step %d", self.done)
