"""The training loop: `Trainer(TrainerConfig(...)).train()`."""

from __future__ import annotations

import logging
import math
from contextlib import closing
from dataclasses import replace
from threading import Event

from trainer.core.errors import TrainerError
from trainer.core.signals import INTERRUPTED, nothing_to_finish
from trainer.games import settled
from trainer.gpu.devices import choose, errors_named
from trainer.pretrained import model_path
from trainer.replay import PackedBatch, ReplayBuffer
from trainer.run.owner import owned
from trainer.run.training_statistics import TrainingPoint, TrainingStats
from trainer.settings.trainer import TrainerConfig
from trainer.settings.validation import require_writable
from trainer.training.divergence import explain_divergence
from trainer.training.publish import unwritable_files_reported
from trainer.training.rows import RowSupply
from trainer.training.run_state import RunState

__all__ = ["Trainer", "TrainerConfig", "train"]

log = logging.getLogger(__name__)


class Trainer:
    """Trains a policy-value network on a replay database, and publishes models and statistics on the way."""

    def __init__(self, config: TrainerConfig, stop: Event | None = None) -> None:
        """Check the config; nothing is read or written yet. Raises ConfigError.

        `stop`: set it from another thread or a signal handler to end the training after the step in progress.
        """
        config.check()
        config = settled(config)
        if config.start_from:  # as a path, because run.json has paths
            config = replace(config, start_from=model_path(config.start_from, config.env_id))
        self.config = config
        self.stop = stop or Event()

    def train(self) -> TrainingStats:
        """Train until the steps or minutes are done, or `stop` is set; returns the statistics. Raises TrainerError."""
        config = self.config
        chosen = choose(config.device)
        require_writable(config.model_dir, "--model-dir")
        require_writable(config.stats.parent, "--stats")
        with owned(config.model_dir, "cartridge train", "--model-dir"):
            if config.device == "auto":
                log.info("training on %s (%s)", chosen.device.type, chosen.reason)
            run = RunState(config, chosen.device)
            if run.take_up():
                self._train(run)
            return run.stats

    def _train(self, run: RunState) -> None:
        """Take all steps that are left."""
        config, game, stop = self.config, run.game, self.stop
        learner, schedule, generator = run.learner, run.schedule, run.generator
        with nothing_to_finish():
            replay = ReplayBuffer(
                run.databases,
                game.metadata,
                game.symmetry_tables,
                config.batch_size,
                config.skip_bad_rows,
                config.merge_repeats,
                game.stamp,
            )
        with closing(replay), closing(run):
            rows = RowSupply(replay, config, schedule, stop)
            with nothing_to_finish():
                learner.prepare(config.batch_size)  # while actors compile the game and play
            if not rows.wait_for_first(run.databases):
                return
            log.info("training %s on %d rows of %s", config.env_id, len(replay), ", ".join(map(str, run.databases)))
            rows.resume_after(run.done)
            schedule.begin()
            for step in range(run.done + 1, schedule.last_step + 1):
                rows.wait_for(step)
                draw = replay.sample_packed if learner.packed else replay.sample
                drawn = draw(generator, config.batch_size, config.q_weight)
                rate = schedule.learning_rate(step)
                with errors_named("a training step"):  # which a device may report later than it happens
                    loss = learner.learn(drawn, rate)
                    last = schedule.over_after(step) or stop.is_set()
                    checkpoint_due = schedule.publishes_after(step) or last
                    stats_due = last or step % config.stats_interval == 0
                    log_due = last or step % config.log_interval == 0
                    if learner.packed and not (checkpoint_due or stats_due or log_due):
                        continue  # reading the loss would wait for the device
                    batch = replay.unpacked(drawn) if isinstance(drawn, PackedBatch) else drawn
                    point = TrainingPoint(step, loss.total.item(), loss.policy.item(), loss.value.item(), rate)
                    if not math.isfinite(point.total_loss) or (checkpoint_due and not learner.finite):
                        raise TrainerError(explain_divergence(point, batch, config))
                    if stats_due:
                        run.note(point, replay)
                    with unwritable_files_reported(step, last):
                        if checkpoint_due:
                            run.publish(step, batch.observation)
                            run.save(step)
                        if stats_due:
                            run.stats_file.write(run.stats, at_once=last)
                    if log_due:
                        log.info("%s of %d, %d rows", point, schedule.total_steps(step), len(replay))
                    if last:
                        break
        if stop.is_set():
            log.info(
                "interrupted after step %d, which is saved; the same command with --resume goes on from there", step
            )


def train(config: TrainerConfig, stop: Event) -> int:
    """Train as configured; returns the exit status: 0 done, INTERRUPTED if `stop` was set. Raises TrainerError."""
    Trainer(config, stop).train()
    return INTERRUPTED if stop.is_set() else 0
