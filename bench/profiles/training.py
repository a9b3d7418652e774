"""Where the time of a training step goes."""

from __future__ import annotations

import time
from contextlib import closing
from types import FunctionType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from bench.profiles.clock import Clock
from bench.support.job import Job
from bench.support.training_steps import BATCHES, buffer_of, our_step
from trainer.compile.linker import Linked, link
from trainer.settings.trainer import TrainerConfig
from trainer.sparse import backward as source
from trainer.sparse.network import SparseNetwork
from trainer.training.steps import adamw, gradient

KERNELS = {
    "count_active": "counting what is active",
    "pass_back": "gradient: ReLU and biases",
    "add_weights": "gradient by weights",
    "add_inputs": "gradient by inputs",
    "add_active_inputs": "gradient by inputs",
    "transpose_blocks": "weights transposed",
}


def training_profile(env_id: str, job: Job) -> dict[str, float]:
    """Microseconds per training step by what they are spent on, in one thread."""
    config = TrainerConfig(db=job.database(env_id), env_id=env_id, batch_size=BATCHES[env_id])
    torch.set_num_threads(1)
    clock, adamw_kernels = Clock(), adamw.adamw_kernels
    with (
        closing(buffer_of(config)) as replay,
        patch.object(adamw, "adamw_kernels", lambda: timed_adamw(clock, adamw_kernels())),
        patch.object(gradient, "link", lambda *of, **how: timed_kernels(clock, link(*of, **how))),
        patch.object(replay, "sample", clock.timed("drawing the batch", replay.sample)),
    ):
        step = our_step(replay, config)
        for _ in range(job.size.steps):
            step()
        clock.seconds.clear()
        began = time.thread_time()
        for _ in range(job.size.steps):
            step()
        total = time.thread_time() - began
    return clock.shares(total, 1e6 / job.size.steps)


def timed_adamw(clock: Clock, linked: Linked) -> Linked:
    """The kernel of an AdamW step, timed."""
    return Linked(adamw_step=SimpleNamespace(adamw=clock.timed("clipping and AdamW", linked.adamw_step.adamw)))


def timed_kernels(clock: Clock, linked: Linked) -> Linked:
    """The modules of a gradient; `differentiate` runs uncompiled and calls timed kernels."""
    backward = linked.backward
    parts = vars(source) | {name: clock.timed(label, getattr(backward, name)) for name, label in KERNELS.items()}

    def differentiate(network: SparseNetwork, *others: Any) -> None:
        layers = network.layers.view(np.recarray)
        FunctionType(source.differentiate.__code__, parts)(network._replace(layers=layers), *others)

    return Linked(
        forward=SimpleNamespace(pass_through=clock.timed("network", linked.forward.pass_through)),
        heads=SimpleNamespace(differentiate_heads=clock.timed("losses", linked.heads.differentiate_heads)),
        backward=SimpleNamespace(differentiate=differentiate),
    )
