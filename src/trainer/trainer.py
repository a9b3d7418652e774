"""The training loop."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event

import numpy as np
import torch

from trainer.core.errors import TrainerError, WaitTimeoutError
from trainer.core.files import atomic_write, remove_leftovers
from trainer.core.locks import locked
from trainer.core.signals import INTERRUPTED
from trainer.game_config import load_game_config
from trainer.network import PolicyValueNet
from trainer.replay import Batch, Replay
from trainer.run.actor_statistics import ACTOR_STATS_FILE
from trainer.run.evaluations import EVALUATIONS_FILE, EvaluationLog
from trainer.run.model_files import LATEST, stored_models
from trainer.run.training_statistics import TrainingPoint, TrainingStats
from trainer.settings.trainer import TrainerConfig
from trainer.settings.validation import require_writable
from trainer.training.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint
from trainer.training.export import Exporter
from trainer.training.learner import Learner, device_of
from trainer.training.publish import publish
from trainer.training.schedule import Schedule
from trainer.training.tensorboard import EventFiles

log = logging.getLogger(__name__)

REFRESH_EVERY = 0.5
"""Seconds between two looks for new rows."""


def train(config: TrainerConfig, stop: Event) -> int:
    """Train as configured; returns the exit status: 0 done, INTERRUPTED when `stop` was set. Raises TrainerError."""
    config.check()
    device = device_of(config.device)
    game = load_game_config(config.env_id, config.db)
    require_writable(config.model_dir, "--model-dir")
    require_writable(config.stats.parent, "--stats")

    torch.manual_seed(config.seed)
    generator = np.random.default_rng([config.seed, 1])
    learner = Learner(PolicyValueNet(game.metadata, config.network, config.width, config.value_head).to(device), config)
    exporter = Exporter(learner.published, game.metadata)
    stats = TrainingStats(config.env_id, config.steps)
    events = EventFiles(config.tensorboard) if config.tensorboard else None
    schedule = Schedule(config)
    evaluations = EvaluationLog(config.stats.parent)
    step = done = resume(config, learner, generator, stats, schedule)
    if done and schedule.over_after(done):
        log.info("the run is over: %d steps are done; to go on give more %s", done, schedule.bound)
        return 0
    if config.publish_first and not done:
        blank = np.zeros((1, game.metadata.obs_size), np.float32)
        publish(exporter.to_bytes(0, blank), config.model_dir, 0, config.kept)

    mirror = Replay(config.db, game.metadata, game.views, config.batch_size, config.skip_bad_rows, config.merge_repeats)
    with closing(mirror) as replay:
        if not wait_for_rows(replay, config, stop):
            return INTERRUPTED
        log.info("training %s on %d rows of %s", config.env_id, len(replay), config.db)
        gone = max(0.0, rows_for(done, config) - replay.seen)  # what a resumed run has used and the window has dropped
        for step in range(done + 1, config.steps + 1):
            replay.refresh(every=REFRESH_EVERY)
            wait_for_new_rows(replay, rows_for(step, config) - gone, schedule, stop)
            newest = window_after(replay.seen + gone, config.window)
            batch = replay.sample(generator, config.batch_size, config.q_weight, newest)
            rate = schedule.learning_rate(step)
            loss = learner.learn(batch, rate)
            point = TrainingPoint(step, loss.total.item(), loss.policy.item(), loss.value.item(), rate)
            last = schedule.over_after(step) or stop.is_set()
            checkpoint_due = last or step % config.checkpoint_interval == 0
            stats_due = last or step % config.stats_interval == 0
            if not math.isfinite(point.total_loss) or (checkpoint_due and not learner.finite):
                raise TrainerError(explain_divergence(point, batch, config))
            if stats_due:
                stats.samples_seen = step * config.batch_size
                stats.replay_buffer_size = len(replay)
                stats.bad_rows = replay.bad_rows
                stats.total_steps = schedule.total_steps(step)
                stats.record(point)
                if events:
                    events.add(point)
            with going_on_without_disk(step, last):
                if checkpoint_due:
                    content = exporter.to_bytes(step, batch.observation, schedule.progress(step))
                    stats.last_checkpoint = str(publish(content, config.model_dir, step, config.kept))
                if stats_due:
                    stats.write(config.stats, evaluations)
                if checkpoint_due:
                    state = dict(generator.bit_generator.state)
                    run = Checkpoint(config.env_id, step, schedule.seconds, learner.state(), state, stats.fields())
                    run.save(config.model_dir)
            if last or step % config.log_interval == 0:
                log.info("%s of %d, %d rows", describe(point), stats.total_steps, len(replay))
            if last:
                break
    if stop.is_set():
        log.info("interrupted after step %d, which is saved; the same command with --resume goes on from there", step)
        return INTERRUPTED
    return 0


def resume(
    config: TrainerConfig, learner: Learner, generator: np.random.Generator, stats: TrainingStats, schedule: Schedule
) -> int:
    """Go on from the folder's checkpoint if that is asked for; else set what lies there aside. Returns the steps done."""
    remove_leftovers(config.model_dir)
    remove_leftovers(config.stats.parent)
    if not config.resume:
        set_aside(config)
        return 0
    checkpoint = load_checkpoint(config.model_dir, config.env_id)
    if checkpoint is None:
        log.info("there is no %s in %s to resume: starting from the beginning", CHECKPOINT, config.model_dir)
        set_aside(config)
        return 0
    learner.restore(checkpoint.learner)
    generator.bit_generator.state = checkpoint.generator
    stats.restore(checkpoint.stats)
    schedule.seconds_before = checkpoint.seconds
    log.info("resuming after step %d", checkpoint.step)
    return checkpoint.step


def set_aside(config: TrainerConfig) -> None:
    """Move an earlier run's checkpoint, models and statistics to `old-<UTC time>`; `latest.onnx` stays."""
    checkpoint, models = [*config.model_dir.glob("checkpoint*")], stored_models(config.model_dir)
    if not checkpoint and not models:
        return
    old = config.model_dir / time.strftime("old-%Y%m%dT%H%M%SZ", time.gmtime())
    while old.exists():
        old = old.with_name(old.name + "-2")
    old.mkdir()
    statistics = [config.stats, *(config.stats.with_name(name) for name in (EVALUATIONS_FILE, ACTOR_STATS_FILE))]
    # The checkpoint goes last, so that whoever is killed here can still resume, and the next start goes on with the rest.
    with locked(statistics[-1]):  # actors are at work already
        for path in (*(path for path in statistics if path.exists()), *models, *checkpoint):
            path.rename(old / path.name)
    log.info("set the earlier run of this folder aside in %s; %s stays until the first new model", old, LATEST)


def wait_for_rows(replay: Replay, config: TrainerConfig, stop: Event) -> bool:
    """Wait until there are rows for a batch; False when `stop` was set first. Raises WaitTimeoutError."""
    began = time.monotonic()
    replay.refresh()
    while len(replay) < config.batch_size:
        waited = time.monotonic() - began
        state = f"{len(replay)} rows of {config.env_id} in {config.db}" if config.db.exists() else f"no {config.db} yet"
        if config.max_wait and waited >= config.max_wait:
            raise WaitTimeoutError(
                f"{state} after {config.max_wait:g} s, a batch needs {config.batch_size}; "
                f"is an actor running? (--max-wait 0 waits for ever)"
            )
        log.info("waiting for %d rows: %s", config.batch_size, state)
        if stop.wait(min(config.wait_interval, config.max_wait - waited if config.max_wait else math.inf)):
            return False
        replay.refresh()
    return True


def rows_for(step: int, config: TrainerConfig) -> float:
    """The rows that so many steps need in all; none where training never pauses."""
    return step * config.batch_size / config.passes if config.passes else 0.0


def window_after(rows: float, start: int | None) -> int | None:
    """How many of the newest rows to draw from when so many have come in all; None where all of them.

    It grows slower than the rows come, so that the oldest games, of weak play, leave it soon: c (1 + b ((n / c)^a - 1) / a)
    of n rows and the first window c, with a = 0.75 and b = 0.4 (KataGo; Wu 2019, section 4).
    """
    if start is None:
        return None
    grown = max(rows / start, 1.0)
    return int(start * (1 + 0.4 * (grown**0.75 - 1) / 0.75))


def wait_for_new_rows(replay: Replay, needed: float, schedule: Schedule, stop: Event) -> None:
    """Pause until `needed` rows have come in all, the run's time is over or `stop` is set."""
    while replay.seen < needed and not schedule.over and not stop.wait(0.02):
        replay.refresh(every=0.1)


@contextmanager
def going_on_without_disk(step: int, last: bool) -> Iterator[None]:
    """Report that the files of a step can't be written, and go on: those before stay, and later steps write again.

    What can't be written at the last step is an error, for nothing will be written after it.
    """
    try:
        yield
    except OSError as error:
        if last:
            raise
        log.warning(
            "can't write the files of step %d (%s: %s); those before it stay, training goes on and writes again",
            *(step, error.filename or "a file", error.strerror),
        )


def explain_divergence(point: TrainingPoint, batch: Batch, config: TrainerConfig) -> str:
    """Save the batch that broke the loss or the weights, and say what happened."""
    path = config.stats.parent / f"bad-batch-step-{point.step}.npz"
    published = "the last published model is good" if (config.model_dir / LATEST).exists() else "no model was published"
    where = f"is in {path}"
    try:
        with atomic_write(path) as file:
            np.savez(file, **vars(batch))
    except OSError as error:
        where = f"could not be saved ({error.strerror})"
    return (
        f"the loss or the weights at step {point.step} are no numbers: the loss is {point.total_loss} (policy "
        f"{point.policy_loss}, value {point.value_loss}); {published} and the batch {where}; "
        f"try a smaller --lr, or --grad-clip"
    )


def describe(point: TrainingPoint) -> str:
    """A point in words."""
    return (
        f"loss {point.total_loss:.4f} (policy {point.policy_loss:.4f}, value {point.value_loss:.4f}), step {point.step}"
    )
