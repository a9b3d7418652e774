"""The training loop."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

import numpy as np
import torch

from trainer.actor_stats import ACTOR_STATS_FILE
from trainer.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint
from trainer.command import INTERRUPTED, LogLevel, require, require_writable
from trainer.errors import TrainerError, WaitTimeoutError
from trainer.evaluations import EVALUATIONS_FILE, EvaluationLog
from trainer.export import Exporter, Kept, publish
from trainer.files import atomic_write, remove_leftovers
from trainer.game_config import load_game_config
from trainer.inference import LATEST, stored_models
from trainer.learner import Learner, device_of
from trainer.network import Family, PolicyValueNet, ValueHead
from trainer.replay import Batch, Replay
from trainer.schedule import Schedule
from trainer.stats import TrainingPoint, TrainingStats
from trainer.tensorboard import EventFiles

log = logging.getLogger(__name__)

REFRESH_EVERY = 0.5
"""Seconds between two looks for new rows."""


@dataclass(frozen=True)
class TrainerConfig:
    """Train a policy-value network on the games of a replay database and publish it as ONNX models."""

    db: Path = Path("../data/replay.db")
    """SQLite replay database to train on."""
    model_dir: Path = Path("../data/models")
    """Folder for the models; `latest.onnx` is the newest."""
    stats: Path = Path("../data/stats.json")
    """Statistics file, replaced while training."""
    env_id: str = "tictactoe"
    """The game whose rows are used."""
    steps: int = 1000
    """Training steps."""
    batch_size: int = 64
    """Rows of a step."""
    lr: float = 0.001
    """Learning rate at the start."""
    weight_decay: float = 0.0001
    """L2 regularization (AdamW)."""
    grad_clip: float = 1.0
    """Largest norm of the gradient; 0 turns clipping off."""
    lr_schedule: bool = True
    """Anneal the learning rate along a cosine."""
    lr_min_ratio: float = 0.1
    """Learning rate at the end, as a share of `lr`."""
    checkpoint_interval: int = 100
    """Steps between two published models."""
    max_checkpoints: int = 10
    """Newest models to keep."""
    spread_checkpoints: bool = False
    """Keep so many spread evenly over the run, and the newest, instead of the newest ones."""
    stats_interval: int = 10
    """Steps between two writes of the statistics."""
    log_interval: int = 10
    """Steps between two lines of the log."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """Where to train."""
    wait_interval: float = 2.0
    """Seconds between two looks for a database with enough rows."""
    max_wait: float = 300.0
    """Seconds to wait for it; 0 waits for ever."""
    minutes: float | None = None
    """End after so many minutes, if the steps are not done by then; the schedule follows whichever is further."""
    network: Family = "mlp"
    """Family of the network: mlp; conv, a convolutional stem before it; residual, a tower of convolutions, for GPUs."""
    width: int | None = None
    """Size of the network: features of its hidden layers, and filters of a conv network; None: 128, 256 or 512, by the size
    of the board (conv: 256 at most)."""
    value_head: ValueHead = "scalar"
    """What the network says of the result: its expectation, or wdl, the chances of win, draw and loss."""
    q_weight: float = 0.0
    """Share of the search's value in the value target; the rest is the game's result."""
    average: float = 0.0
    """Publish an average of the weights over about 1 / (1 - average) steps instead of the newest; 0 = the newest."""
    passes: float | None = None
    """Pause when rows were drawn so often on average, until there are new ones; None: never pause."""
    window: int | None = None
    """Draw from the newest rows only: from so many at first, from a growing number as more come; None: from all."""
    merge_repeats: bool = False
    """Draw the n rows that have the same position as often as 1 + log2 n others, not as n."""
    publish_first: bool = False
    """Publish the untrained network at once, so that actors can search from the start."""
    skip_bad_rows: bool = False
    """Pass over rows that are damaged, counting and reporting them, instead of stopping at the first."""
    resume: bool = False
    """Go on from the newest checkpoint in the model folder; `steps` is then the total."""
    tensorboard: Path | None = None
    """Also write the losses for TensorBoard into this folder; None: don't."""
    seed: int = 0
    """Fixes the first weights and the rows that are drawn."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        for name in ("steps", "batch_size", "checkpoint_interval", "max_checkpoints", "stats_interval", "log_interval"):
            value = getattr(self, name)
            require(value >= 1, f"--{name.replace('_', '-')} is {value}; at least 1 is needed")
        require(math.isfinite(self.lr) and self.lr > 0, f"--lr is {self.lr}; a number above 0 is needed")
        require(0 <= self.lr_min_ratio <= 1, f"--lr-min-ratio is {self.lr_min_ratio}; give a number from 0 to 1")
        for name in ("weight_decay", "grad_clip", "max_wait"):
            value = getattr(self, name)
            require(value >= 0, f"--{name.replace('_', '-')} is {value}; 0 or more is needed")
        require(self.wait_interval > 0, f"--wait-interval is {self.wait_interval}; a number above 0 is needed")
        require(self.width is None or self.width >= 1, f"--width is {self.width}; at least 1 is needed")
        require(0 <= self.q_weight <= 1, f"--q-weight is {self.q_weight}; give a number from 0 to 1")
        require(0 <= self.average < 1, f"--average is {self.average}; give a number from 0 up to, not including, 1")
        require(self.minutes is None or self.minutes > 0, f"--minutes is {self.minutes}; a number above 0 is needed")
        require(self.passes is None or self.passes > 0, f"--passes is {self.passes}; a number above 0 is needed")
        require(self.window is None or self.window >= 1, f"--window is {self.window}; at least 1 is needed")
        require(self.seed >= 0, f"--seed is {self.seed}; 0 or more is needed")

    @property
    def kept(self) -> Kept:
        """Which of the models stay."""
        return Kept(self.max_checkpoints, self.checkpoint_interval if self.spread_checkpoints else None)


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
    if config.publish_first and not (config.model_dir / LATEST).exists():
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
            if not math.isfinite(point.total_loss) or (checkpoint_due and not learner.finite):
                raise TrainerError(explain_divergence(point, batch, config.stats.parent))
            if last or step % config.stats_interval == 0:
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
                if last or step % config.stats_interval == 0:
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


def explain_divergence(point: TrainingPoint, batch: Batch, folder: Path) -> str:
    """Save the batch that broke the loss or the weights, and say what happened."""
    path = folder / f"bad-batch-step-{point.step}.npz"
    where = f"is in {path}"
    try:
        with atomic_write(path) as file:
            np.savez(file, **vars(batch))
    except OSError as error:
        where = f"could not be saved ({error.strerror})"
    return (
        f"the loss or the weights at step {point.step} are no numbers: the loss is {point.total_loss} (policy "
        f"{point.policy_loss}, value {point.value_loss}); the last published model is good and the batch {where}; "
        f"try a smaller --lr, or --grad-clip"
    )


def describe(point: TrainingPoint) -> str:
    """A point in words."""
    return (
        f"loss {point.total_loss:.4f} (policy {point.policy_loss:.4f}, value {point.value_loss:.4f}), step {point.step}"
    )
