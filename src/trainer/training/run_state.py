"""A run so far: the network, the optimizer, the schedule, the statistics and the random numbers."""

from __future__ import annotations

import logging

import numpy as np
import torch

from trainer.core.errors import ConfigError, DeviceError
from trainer.core.python_file import lines_named
from trainer.game_config import GameConfig
from trainer.gpu.devices import errors_named
from trainer.network import CustomNetwork, MoverNetwork
from trainer.network.file import FLAG
from trainer.replay import Metadata, ReplayBuffer
from trainer.run.training_statistics import TrainingPoint, TrainingStats
from trainer.settings.trainer import TrainerConfig
from trainer.training.checkpoint import Checkpoint
from trainer.training.learner import Learner
from trainer.training.schedule import Schedule
from trainer.training.steps.device_batches import Unpacker

log = logging.getLogger(__name__)


class RunState:
    """What a run needs for its next step."""

    def __init__(self, config: TrainerConfig, game: GameConfig, network: MoverNetwork, device: torch.device) -> None:
        """A run that begins with this network, which moves to the device.

        Raises ConfigError for a custom network that can't be trained there, DeviceError if the device fails.
        """
        self._env_id, self._rules = config.env_id, game.stamp
        self._batch_size = config.batch_size
        self.generator = np.random.default_rng([config.seed, 1])
        """Draws the rows."""
        with errors_named("the start of training"):
            unpacker = None if device.type == "cpu" else Unpacker(game.metadata, game.symmetry_tables, device)
            network = network.to(device)
            if isinstance(network, CustomNetwork) and device.type != "cpu":  # on the CPU it was tried when made
                try_on_device(network, game.metadata)
            self.learner = Learner(network, config, unpacker)
        self.schedule = Schedule(config)
        self.stats = TrainingStats(config.env_id, self.schedule.total_steps(0))
        self.done = 0
        """Steps that were done before; 0: the run is a new one."""

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint. Raises CheckpointError if it is of another network."""
        with errors_named("the start of training"):
            self.learner.restore(checkpoint.learner)
        self.generator.bit_generator.state = checkpoint.generator
        self.stats.restore(checkpoint.stats)
        self.schedule.seconds_before = checkpoint.seconds
        self.done = checkpoint.step
        log.info("resuming after step %d", self.done)

    def note(self, point: TrainingPoint, replay: ReplayBuffer) -> None:
        """Take a step into the statistics."""
        stats = self.stats
        stats.samples_seen = point.step * self._batch_size
        stats.replay_buffer_size = len(replay)
        stats.bad_rows = replay.bad_rows
        stats.total_steps = self.schedule.total_steps(point.step)
        stats.record(point)

    def checkpoint(self, step: int) -> Checkpoint:
        """The run after a step."""
        state = dict(self.generator.bit_generator.state)
        fields = self.stats.fields()
        seconds, learner = self.schedule.seconds, self.learner.state()
        return Checkpoint(self._env_id, step, seconds, learner, state, fields, self._rules)


def try_on_device(network: CustomNetwork, game: Metadata) -> None:
    """Raise ConfigError unless a network can be trained on the device that it is on; DeviceError if the device fails."""
    with (
        lines_named(network.file.path, ConfigError, FLAG, passes=(DeviceError,)),
        errors_named("the start of training"),
    ):
        network.try_step(game)
