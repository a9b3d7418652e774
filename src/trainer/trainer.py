"""The training loop: `Trainer(TrainerConfig(...)).train()`."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event

import torch

from trainer.core.errors import TrainerError
from trainer.core.files import make_writable_folder, remove_leftovers
from trainer.core.signals import INTERRUPTED, nothing_to_finish
from trainer.export import first_network
from trainer.game_config import GameConfig, load_game_config
from trainer.games import with_env_id
from trainer.gpu.devices import choose, errors_named
from trainer.network import NetworkFile
from trainer.pretrained import model_path
from trainer.replay import PackedBatch, ReplayBuffer
from trainer.run.databases import databases_of
from trainer.run.folder import RunFolder
from trainer.run.owner import owned
from trainer.run.training_statistics import TrainingPoint, TrainingStats
from trainer.settings.trainer import TrainerConfig
from trainer.training.beginning import resumable
from trainer.training.divergence import explain_divergence
from trainer.training.learner import tuned_torch
from trainer.training.output import RunOutput
from trainer.training.rows import RowSupply
from trainer.training.run_state import RunState
from trainer.training.schedule import Schedule
from trainer.training.waiting import wait_for_game

__all__ = ["Trainer", "TrainerConfig", "train"]

log = logging.getLogger(__name__)


class Trainer:
    """Trains a policy-value network on a replay database, and publishes models and statistics on the way."""

    def __init__(self, config: TrainerConfig, stop: Event | None = None) -> None:
        """Check the config; nothing is read or written yet. Raises ConfigError.

        `stop`: set it from another thread or a signal handler to end the training after the step in progress.
        """
        config.check()
        config = with_env_id(config)
        if config.start_from:  # as a path, because run.json has paths
            config = replace(config, start_from=model_path(config.start_from, config.env_id))
        self.config = config
        self.stop = stop or Event()

    def train(self) -> TrainingStats:
        """Train until the steps or minutes are done, or `stop` is set; returns the statistics. Raises TrainerError.

        It sets torch's threads and seed and, on a GPU, how torch computes. Afterwards they are as before, but for the random
        numbers of a GPU.
        """
        config = self.config
        chosen = choose(config.device)
        make_writable_folder(config.model_dir, "--model-dir")
        make_writable_folder(config.stats.parent, "--stats")
        with (
            tuned_torch(chosen.device, config),  # before a network's own file runs, which may draw random numbers
            owned(config.model_dir, "cartridge train", "--model-dir"),
            owned(config.stats, "cartridge train", "--stats"),
        ):
            if config.device == "auto":
                log.info("training on %s (%s)", chosen.device.type, chosen.reason)
            folder = RunFolder(config.stats.parent)
            remove_leftovers(config.model_dir)
            remove_leftovers(folder.path)
            databases = databases_of(config.db)
            if not wait_for_game(config, databases, self.stop):
                return TrainingStats(config.env_id, Schedule(config).total_steps(0))
            game = load_game_config(config.env_id, *databases)
            file = NetworkFile(config.network_file) if config.network_file else None
            run, output = self._begin(game, folder, file, chosen.device)
            if run.schedule.over_after(run.done):
                log.info("the run is over: %d steps are done; to go on give more %s", run.done, run.schedule.bound)
                output.write_missing_statistics()
                return run.stats
            with closing(output):
                self._train(game, databases, run, output)
            return run.stats

    def _begin(
        self, game: GameConfig, folder: RunFolder, file: NetworkFile | None, device: torch.device
    ) -> tuple[RunState, RunOutput]:
        """The run so far, from its checkpoint if it is resumed, and what will write it. Changes no file."""
        config = self.config
        checkpoint = resumable(config, folder.record, file, game.stamp)
        network = first_network(config, game, file, None if checkpoint else config.start_from)
        run = RunState(config, game, network, device)
        output = RunOutput(config, run, game, folder, file)  # before an earlier run is set aside: the export may fail
        if checkpoint:
            run.restore(checkpoint)
        return run, output

    def _train(self, game: GameConfig, databases: Sequence[Path], run: RunState, output: RunOutput) -> None:
        """Take all steps that are left."""
        config, stop = self.config, self.stop
        learner, schedule, generator = run.learner, run.schedule, run.generator
        if config.publish_first:  # actors wait for this model
            output.begin()
        with nothing_to_finish():
            replay = ReplayBuffer(
                databases,
                game.metadata,
                symmetries=game.symmetry_tables,
                min_rows=config.batch_size,
                skip_bad_rows=config.skip_bad_rows,
                merge_repeats=config.merge_repeats,
                stamp=game.stamp,
            )
        with closing(replay):
            rows = RowSupply(replay, config, schedule, stop, databases)
            with nothing_to_finish():
                learner.prepare(config.batch_size)  # while actors compile the game and play
            if not rows.wait_for_first(run.done):
                return
            if not config.publish_first:  # until now an earlier run in the folder stays as it is
                output.begin()
            log.info("training %s on %d rows of %s", config.env_id, len(replay), ", ".join(map(str, databases)))
            schedule.begin()
            for step in range(run.done + 1, schedule.last_step + 1):
                rows.wait_for(step)
                draw = replay.sample_packed if learner.packed else replay.sample
                drawn = draw(generator, config.batch_size, config.q_weight)
                rate = schedule.learning_rate(step)
                with errors_named("a training step"):  # which a device may report later than it happens
                    loss = learner.learn(drawn, rate)
                    due = schedule.due_after(step, stop.is_set())
                    if learner.packed and not any(due):
                        continue  # reading the loss would wait for the device
                    batch = replay.unpacked(drawn) if isinstance(drawn, PackedBatch) else drawn
                    losses = loss.total.item(), loss.policy.item(), loss.value.item()
                    point = TrainingPoint(step, *losses, rate, batch.target_entropy if due.stats else None)
                    if not all(map(math.isfinite, losses)) or (due.model and not learner.finite):
                        raise TrainerError(explain_divergence(point, batch, config, output.has_published))
                    if due.stats:
                        run.note(point, replay)
                    if due.model:
                        schedule.count_model()  # also if it can't be written: a full disk isn't tried again at every step
                    output.write(due, point, batch.observation, len(replay))
                    if due.last:
                        break
        if stop.is_set():
            log.info(
                "interrupted after step %d, which is saved; the same command with --resume goes on from there", step
            )


def train(config: TrainerConfig, stop: Event) -> int:
    """Train as configured; returns the exit status: 0 done, INTERRUPTED if `stop` was set. Raises TrainerError."""
    Trainer(config, stop).train()
    return INTERRUPTED if stop.is_set() else 0
