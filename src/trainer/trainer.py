"""The training loop: `Trainer(TrainerConfig(...)).train()`."""

from __future__ import annotations

import logging
import math
import time
from contextlib import closing, nullcontext
from threading import Event

import numpy as np
import torch

from trainer.core.errors import TrainerError
from trainer.core.files import remove_leftovers
from trainer.core.json_values import read_json_object
from trainer.core.signals import INTERRUPTED
from trainer.game_config import load_game_config
from trainer.games import settled
from trainer.gpu.devices import Choice, choose, errors_named
from trainer.network import PolicyValueNetwork
from trainer.replay import PackedBatch, ReplayBuffer, databases_of
from trainer.run.actor_statistics import players_in
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder, set_aside
from trainer.run.model_files import LATEST
from trainer.run.owner import owned
from trainer.run.record import TRAIN, require_same_run, write_record
from trainer.run.training_statistics import StatsFile, TrainingPoint, TrainingStats
from trainer.settings.trainer import TrainerConfig
from trainer.settings.validation import require_writable
from trainer.training.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint
from trainer.training.device_batches import Unpacker
from trainer.training.divergence import explain_divergence
from trainer.training.export import Exporter
from trainer.training.learner import Learner
from trainer.training.publish import Retention, delete_later, publish, unwritable_files_reported
from trainer.training.rows import RowSupply
from trainer.training.schedule import Schedule
from trainer.training.tensorboard import EventFiles

__all__ = ["Trainer", "TrainerConfig", "train"]

log = logging.getLogger(__name__)


class Trainer:
    """Trains a policy-value network on a replay database, and publishes models and statistics on the way."""

    def __init__(self, config: TrainerConfig, stop: Event | None = None) -> None:
        """Check the config; nothing is read or written yet. Raises ConfigError.

        `stop`: set it from another thread or a signal handler to end the training after the step in progress.
        """
        config.check()
        self.config = settled(config)
        self.stop = stop or Event()

    def train(self) -> TrainingStats:
        """Train until the steps or minutes are done, or `stop` is set; returns the statistics. Raises TrainerError."""
        config = self.config
        chosen = choose(config.device)
        require_writable(config.model_dir, "--model-dir")
        require_writable(config.stats.parent, "--stats")
        with owned(config.model_dir, "cartridge train", "--model-dir"):
            return self._train(chosen)

    def _train(self, chosen: Choice) -> TrainingStats:
        """Train, as the owner of the run."""
        config, stop, device = self.config, self.stop, chosen.device
        if config.device == "auto":
            log.info("training on %s (%s)", device.type, chosen.reason)
        if device.type == "cpu":
            torch.set_num_threads(1)  # small networks are as fast on one thread, and actors use the other cores
        torch.backends.cudnn.benchmark = True  # batches have one size: let cuDNN time its algorithms once
        databases = databases_of(config.db)
        game = load_game_config(config.env_id, *databases)
        run = RunFolder(config.stats.parent)

        torch.manual_seed(config.seed)
        generator = np.random.default_rng([config.seed, 1])
        network = PolicyValueNetwork(
            game.metadata, config.network, config.width, game.layout, config.blocks, config.pooling
        )
        views = game.views
        unpacker = None if device.type == "cpu" else Unpacker(game.metadata, views, device)
        with errors_named("the start of training"):
            learner = Learner(network.to(device), config, unpacker)
        exporter = Exporter(learner.published, game.metadata, game.stamp)
        retention = Retention(config.max_checkpoints, config.checkpoint_interval if config.spread_checkpoints else None)
        schedule = Schedule(config)
        stats = TrainingStats(config.env_id, schedule.total_steps(0))
        events = EventFiles(config.tensorboard) if config.tensorboard else None
        evaluations = EvaluationLog(run.path)
        stats_file = StatsFile(config.stats, evaluations)
        remove_leftovers(config.model_dir)
        remove_leftovers(config.stats.parent)
        checkpoint = self._checkpoint()
        if checkpoint:
            require_same_run(run.record, TRAIN, config)
            with errors_named("the start of training"):
                learner.restore(checkpoint.learner)
            generator.bit_generator.state = checkpoint.generator
            stats.restore(checkpoint.stats)
            schedule.seconds_before = checkpoint.seconds
            log.info("resuming after step %d", checkpoint.step)
            if schedule.over_after(checkpoint.step):
                log.info("the run is over: %d steps are done; to go on give more %s", checkpoint.step, schedule.bound)
                return stats
            delete_later(config.model_dir, checkpoint.step)
        elif old := set_aside(config.model_dir, config.stats):
            log.info("set the earlier run of this folder aside in %s; %s stays until the first new model", old, LATEST)
        write_record(run.record, TRAIN, config)
        done = checkpoint.step if checkpoint else 0
        if events:
            events.begin(done)
        if config.publish_first and not done:
            blank = np.zeros((1, game.metadata.obs_size), np.float32)
            publish(exporter.to_bytes(0, blank), config.model_dir, 0, retention)

        replay = ReplayBuffer(
            databases,
            game.metadata,
            game.views,
            config.batch_size,
            config.skip_bad_rows,
            config.merge_repeats,
            game.stamp,
        )
        with closing(replay), closing(events) if events else nullcontext():
            rows = RowSupply(replay, config, schedule, stop)
            learner.prepare(config.batch_size)  # while actors compile the game and play
            if not rows.wait_for_first(databases):
                return stats
            log.info("training %s on %d rows of %s", config.env_id, len(replay), ", ".join(map(str, databases)))
            rows.resume_after(done)
            schedule.begin()
            for step in range(done + 1, schedule.last_step + 1):
                rows.wait_for(step)
                draw = replay.sample_packed if learner.device_steps else replay.sample
                drawn = draw(generator, config.batch_size, config.q_weight)
                rate = schedule.learning_rate(step)
                loss = learner.learn(drawn, rate)
                last = schedule.over_after(step) or stop.is_set()
                checkpoint_due = schedule.publishes_after(step) or last
                stats_due = last or step % config.stats_interval == 0
                log_due = last or step % config.log_interval == 0
                if learner.device_steps and not (checkpoint_due or stats_due or log_due):
                    continue  # reading the loss would wait for the device
                batch = replay.unpacked(drawn) if isinstance(drawn, PackedBatch) else drawn
                with errors_named("a training step"):
                    point = TrainingPoint(step, loss.total.item(), loss.policy.item(), loss.value.item(), rate)
                if not math.isfinite(point.total_loss) or (checkpoint_due and not learner.finite):
                    raise TrainerError(explain_divergence(point, batch, config))
                if stats_due:
                    stats.samples_seen = step * config.batch_size
                    stats.replay_buffer_size = len(replay)
                    stats.bad_rows = replay.bad_rows
                    stats.total_steps = schedule.total_steps(step)
                    stats.record(point)
                    if events:
                        events.add(
                            point, evaluations.read(), players_in(read_json_object(run.actor_stats) or {}, time.time())
                        )
                with unwritable_files_reported(step, last):
                    if checkpoint_due:
                        learner.write_back()
                        content = exporter.to_bytes(step, batch.observation, schedule.progress(step))
                        stats.last_checkpoint = str(publish(content, config.model_dir, step, retention))
                    if stats_due:
                        stats_file.write(stats, at_once=last)
                    if checkpoint_due:
                        state = dict(generator.bit_generator.state)
                        reached = Checkpoint(
                            config.env_id, step, schedule.seconds, learner.state(), state, stats.fields()
                        )
                        reached.save(config.model_dir)
                if log_due:
                    log.info("%s of %d, %d rows", point, stats.total_steps, len(replay))
                if last:
                    break
        if stop.is_set():
            log.info(
                "interrupted after step %d, which is saved; the same command with --resume goes on from there", step
            )
        return stats

    def _checkpoint(self) -> Checkpoint | None:
        """The checkpoint to resume from; None for a run from the beginning."""
        if not self.config.resume:
            return None
        checkpoint = load_checkpoint(self.config.model_dir, self.config.env_id)
        if checkpoint is None:
            log.info("there is no %s in %s to resume: starting from the beginning", CHECKPOINT, self.config.model_dir)
        return checkpoint


def train(config: TrainerConfig, stop: Event) -> int:
    """Train as configured; returns the exit status: 0 done, INTERRUPTED if `stop` was set. Raises TrainerError."""
    Trainer(config, stop).train()
    return INTERRUPTED if stop.is_set() else 0
