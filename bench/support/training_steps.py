"""Training steps: ours, and a bare PyTorch loop on the same rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import torch

from bench.support.models import network_of
from trainer.game_config import load_game_config
from trainer.network import alphazero_loss
from trainer.replay import ReplayBuffer
from trainer.run.training_statistics import TrainingPoint
from trainer.settings.trainer import TrainerConfig
from trainer.training.learner import Learner
from trainer.training.rows import REFRESH_SECONDS
from trainer.training.schedule import Schedule

BATCHES = {"tictactoe": 64, "connect4": 1024}
"""Batch sizes of the targets."""


def buffer_of(config: TrainerConfig) -> ReplayBuffer:
    """All rows of a database in memory."""
    game = load_game_config(config.env_id, config.db)
    replay = ReplayBuffer(config.db, game.metadata, game.symmetry_tables)
    replay.refresh()
    return replay


def our_step(replay: ReplayBuffer, config: TrainerConfig) -> Callable[[], None]:
    """A step as `train` makes it: look for new rows now and then, draw a batch, learn, and read the losses as numbers."""
    learner = Learner(network_of(config.env_id), config)
    generator, schedule = np.random.default_rng(0), Schedule(config)

    def step() -> None:
        replay.refresh(every=REFRESH_SECONDS)
        batch = replay.sample(generator, config.batch_size, config.q_weight)
        rate = schedule.learning_rate(1)
        loss = learner.learn(batch, rate)
        losses = loss.total.item(), loss.policy.item(), loss.value.item()
        point = TrainingPoint(1, *losses, rate, batch.target_entropy)
        assert math.isfinite(point.total_loss)

    return step


def bare_step(replay: ReplayBuffer, config: TrainerConfig) -> Callable[[], None]:
    """What one would write in a notebook: tensors in memory, fused AdamW, the same network, loss and clipping."""
    network = network_of(config.env_id)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.lr, weight_decay=config.weight_decay, fused=True)
    rows = replay.sample(np.random.default_rng(0), min(len(replay), 200_000))
    observation, legal, policy_target, value_target = (
        torch.from_numpy(part) for part in (rows.observation, rows.legal, rows.policy_target, rows.value_target)
    )

    def step() -> None:
        at = torch.randint(len(observation), (config.batch_size,))
        logits, value = network(observation[at])
        loss = alphazero_loss(logits, value, legal[at], policy_target[at], value_target[at])
        optimizer.zero_grad()
        loss.total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.grad_clip)
        optimizer.step()

    return step


def milliseconds(step: Callable[[], None], steps: int) -> float:
    """Milliseconds per step, the mean over `steps`."""
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return 1000 * (time.perf_counter() - began) / steps
