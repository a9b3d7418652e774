"""Three minutes of the Connect 4 loop on a GPU, and training steps (docs/gpu.md says how long it takes).

What fails is reported, and the rest is measured.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from bench.parts.gpu.models import NAMES, TOWER, network_of
from bench.report.result import Result, Target, or_failed
from bench.support.job import Job
from trainer.core.errors import TrainerError
from trainer.core.json_values import read_json_object
from trainer.game_config import load_game_config
from trainer.gpu.devices import choose
from trainer.replay import ReplayBuffer
from trainer.run.folder import RunFolder
from trainer.settings.trainer import TrainerConfig
from trainer.training.learner import Learner, tuned_torch
from trainer.training.steps.device_batches import Unpacker

PRODUCTS = re.compile(
    r"nvjet|gemm|xmma|cutlass|fprop|wgrad|dgrad|convolve|cudnn_generated|mkldnn_conv|addmm|::mm\b", re.IGNORECASE
)
"""Names of kernels that multiply matrices, on a GPU and on the CPU: convolutions too, but not what only changes the layout
of their arrays (`nchwToNhwc`)."""
PROFILED = 20
"""Steps."""


def measure(job: Job) -> Iterator[Result]:
    """What matters most comes first: the wrong moves after the loop.

    Raises ConfigError if the device of the job's size can't be used.
    """
    device = choose(job.size.gpu_device).device
    yield from or_failed("connect4, the loop", learned(job, device))
    yield from or_failed("connect4, training", training(job, device))


def training(job: Job, device: torch.device) -> Iterator[Result]:
    """Steps of the tower, and how much of their time is spent in matrix products."""
    path = job.database("connect4", job.size.command_rows)
    game = load_game_config("connect4", path)
    config = TrainerConfig(env_id="connect4", network=TOWER[0], width=TOWER[1])
    as_in_the_trainer = tuned_torch(device, config)
    with as_in_the_trainer, closing(ReplayBuffer(path, game.metadata, game.symmetry_tables)) as replay:
        replay.refresh()
        for batch in job.size.gpu_training_batches:
            what = f"connect4, training, {NAMES[TOWER]}, batches of {batch:,}"
            yield from or_failed(what, training_steps(what, replay, replace(config, batch_size=batch), job, device))


def training_steps(
    what: str, replay: ReplayBuffer, config: TrainerConfig, job: Job, device: torch.device
) -> Iterator[Result]:
    """Steps of one batch size."""
    batch = config.batch_size
    network = network_of("connect4", TOWER).to(device)
    learner = Learner(network, config, Unpacker(replay.metadata, replay.symmetries, device))
    generator = np.random.default_rng(0)

    def steps(number: int) -> None:
        for _ in range(number):
            learner.learn(replay.sample_packed(generator, batch, 0.5), 0.001)
        if device.type == "cuda":
            torch.cuda.synchronize()

    steps(min(8, job.size.gpu_steps))  # the first ones are captured
    times = []
    for _ in range(job.size.rounds):
        began = time.perf_counter()
        steps(job.size.gpu_steps)
        times.append(1000 * (time.perf_counter() - began) / job.size.gpu_steps)
    yield Result(what, "ms/step", times)
    what = f"the share of that time in matrix products, batches of {batch:,}"
    target = Target(least=0.4) if batch == max(job.size.gpu_training_batches) else Target()
    number = min(PROFILED, job.size.gpu_steps)
    yield from or_failed(what, products(what, steps, number, median(times), target, device))


def products(
    what: str, steps: Callable[[int], None], number: int, usual: float, target: Target, device: torch.device
) -> Iterator[Result]:
    """How much of the time of some steps is spent in matrix products; a step takes `usual` ms when it isn't watched.

    Raises TrainerError if torch's profiler sees nothing.
    """
    on_gpu = device.type == "cuda"
    if on_gpu:  # where graphs are replayed, a second profile may crash with CUDA below 12.6; torch's own remedy
        os.environ.setdefault("TEARDOWN_CUPTI", "0")
        os.environ.setdefault("DISABLE_CUPTI_LAZY_REINIT", "1")
    with profile(activities=[ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU]) as profiler:
        steps(number)
    kind = DeviceType.CUDA if on_gpu else DeviceType.CPU
    kernels = [event for event in profiler.key_averages() if event.device_type == kind]
    if not kernels:
        raise TrainerError("the profiler of torch has recorded no kernel, so the share of matrix products is unknown")
    spent = sum(
        event.self_device_time_total if on_gpu else event.self_cpu_time_total
        for event in kernels
        if PRODUCTS.search(event.key)
    )
    yield Result(what, "", [spent / (1000 * usual * number)], target=target)  # both in microseconds


def learned(job: Job, device: torch.device) -> Iterator[Result]:
    """Minutes of the loop as a user runs it, and the wrong moves of its last model in the stored positions."""
    minutes, simulations = job.size.gpu_loop_minutes, job.size.gpu_solve_simulations
    if not minutes:
        return
    with job.scratch() as folder:
        run = RunFolder(folder)
        words = ["--env-id", "connect4", "--device", device.type]
        ran("trainer.loop", *words, "--minutes", f"{minutes:g}", "--data-dir", f"{folder}", "--seed", "0")
        solved = folder / "solved.json"
        words += ["--model", f"{run.latest_model}", "--solve", "--solve-simulations", f"{simulations}"]
        ran("trainer.evaluator", *words, "--json", f"{solved}")
        stats, actors = (read_json_object(path) or {} for path in (run.stats, run.actor_stats))
        found: dict[str, Any] = (read_json_object(solved) or {})["results"][0]
    kinds = ", ".join(f"{name} {100 * kind['weak_error']:.1f}" for name, kind in found["kinds"].items())
    yield Result(
        f"connect4, {minutes:g} minutes of the loop: weak errors at {simulations} simulations",
        "",
        [found["weak_error"]],
        target=Target(most=0.02),
        note=f"in percent: {kinds}; {stats['step']:,} steps, {actors['total_steps']:,} positions",
    )


def ran(module: str, *words: str) -> None:
    """Run a command of the package to its end. Raises RuntimeError if it fails; its message is above."""
    done = subprocess.run([sys.executable, "-m", module, *words], stdout=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{module} ended with status {done.returncode}")
