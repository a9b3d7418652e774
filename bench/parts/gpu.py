"""One GPU: exactness, evaluations, self-play, training. `make bench-gpu` runs it.

Without a GPU it only says that there is none. The parts that a user's command runs are measured by that command. The whole
takes about eight minutes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from threading import Thread

import numpy as np
import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from bench.report.result import Result, Target
from bench.support.actors import actor
from bench.support.job import Job
from bench.support.models import place_model
from bench.support.workload import ready
from trainer.evaluators.acceleration import distance, random_play
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.game_config import load_game_config, metadata_of
from trainer.games import game_of
from trainer.games.layout import layout_of
from trainer.gpu.batches import Unpacker
from trainer.gpu.devices import choose
from trainer.gpu.evaluator import TorchAccelerator
from trainer.gpu.launchers import EagerLauncher, GraphLauncher
from trainer.network import Family, PolicyValueNetwork
from trainer.replay import ReplayBuffer
from trainer.settings.groups.device import Precision
from trainer.settings.trainer import TrainerConfig
from trainer.training.export import Exporter
from trainer.training.learner import Learner

TOWER: tuple[Family, int, int] = ("residual", 384, 6)
CONV: tuple[Family, int, int] = ("conv", 256, 6)
NAMES = {TOWER: "tower of 6 blocks with 96 filters", CONV: "conv 256"}
PRODUCTS = re.compile(r"gemm|conv|cutlass|cudnn|wgrad|dgrad|matmul|addmm|::mm\b", re.IGNORECASE)
"""Names of kernels that multiply matrices."""


def measure(job: Job) -> list[Result]:
    """Raises ConfigError if the device of the job's size can't be used."""
    device = choose(job.size.gpu_device).device
    return [
        *exactness(device),
        *evaluations(job, device),
        *self_play(job, device),
        *training(job, device),
    ]


def model_of(env_id: str, kind: tuple[Family, int, int]) -> bytes:
    """A model file with random weights, always the same."""
    torch.manual_seed(1)
    family, width, blocks = kind
    game = game_of(env_id)
    network = PolicyValueNetwork(metadata_of(game), family, width, layout_of(game), blocks)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05 if parameter.dim() == 1 else 1.2 / parameter[0].numel() ** 0.5)
    return Exporter(network, metadata_of(game)).to_bytes(1, np.zeros((1, game.obs_size), np.float32))


def original_of(env_id: str, content: bytes) -> OnnxEvaluator:
    """A model evaluated by ONNX Runtime."""
    game = game_of(env_id)
    return OnnxEvaluator(content, "a model", env_id, game.obs_size, game.num_actions)


def exactness(device: torch.device) -> Iterator[Result]:
    """How far the answers in each precision are from ONNX Runtime's, by the measure that decides whether a model is used."""
    content = model_of("connect4", TOWER)
    original, rows = original_of("connect4", content), random_play("connect4", seed=2)
    precisions: tuple[Precision, ...] = ("fp32", "fp16", "bf16")
    for precision in precisions:
        maker = TorchAccelerator("connect4", device, precision, 256)
        apart = distance(maker(content, original)(*rows), original(*rows))
        yield Result(
            f"Connect 4, {NAMES[TOWER]}, {precision}: distance from ONNX Runtime",
            "",
            [apart],
            target=Target(most=maker.tolerance),
        )


def evaluations(job: Job, device: torch.device) -> Iterator[Result]:
    """Positions that threads can have evaluated, without a search, by the size of a batch; and without a captured graph."""
    launchers = {"operation by operation": EagerLauncher}
    if device.type == "cuda":
        launchers["a graph"] = GraphLauncher
    for env_id, kind in (("connect4", CONV), ("connect4", TOWER), ("othello", TOWER)):
        content = model_of(env_id, kind)
        original = original_of(env_id, content)
        for manner, launcher in launchers.items():
            for batch in job.size.gpu_batches:
                for threads in job.size.gpu_threads:
                    precision: Precision = "fp16" if device.type == "cuda" else "fp32"
                    evaluator = TorchAccelerator(env_id, device, precision, batch, launcher)(content, original)
                    rate = positions_per_second(evaluator, env_id, batch, threads, job.size.gpu_seconds)
                    what = f"{env_id}, {NAMES[kind]}, batches of {batch:,}, {threads} threads, {manner}"
                    yield Result(what, "evaluations/s", [rate])


def positions_per_second(
    evaluator: Callable[..., object], env_id: str, batch: int, threads: int, seconds: float
) -> float:
    """What so many threads get answers to, each in batches of its own."""
    observation, legal = (np.resize(part, (batch, part.shape[1])) for part in random_play(env_id, seed=2))
    counts, end = [0] * threads, [float("inf")]

    def work(at: int) -> None:
        while time.monotonic() < end[0]:
            evaluator(observation, legal)
            counts[at] += 1

    workers = [Thread(target=work, args=(at,), daemon=True) for at in range(threads)]
    for worker in workers:
        worker.start()
    while not all(counts):  # each has prepared its launcher
        time.sleep(0.01)
    before, began = sum(counts), time.monotonic()
    end[0] = began + seconds
    for worker in workers:
        worker.join()
    return (sum(counts) - before) * batch / (time.monotonic() - began)


def self_play(job: Job, device: torch.device) -> Iterator[Result]:
    """The actor's command with a tower on the device; with the conv network on the device and by the CPU's own kernels."""
    size = job.size
    settings = [(TOWER, device.type, threads, games) for threads in size.gpu_threads for games in size.gpu_batches]
    settings += [(CONV, device.type, size.gpu_threads[-1], size.gpu_batches[-1]), (CONV, "cpu", size.gpu_cores, 128)]
    goal = (TOWER, device.type, size.gpu_threads[-1], size.gpu_batches[-1])
    for kind, where, threads, games in settings:
        with job.scratch() as folder:
            place_model(folder, model_of("connect4", kind))
            own = actor(
                folder,
                "connect4",
                simulations=size.simulations,
                threads=threads,
                games=games,
                device=where,
                memory_gib=16,
            )
            with ready(own):
                turn = own.turn(size.turn)
        target = Target(least=1_000_000 if (kind, where, threads, games) == goal else None)
        what = f"connect4, self-play, {NAMES[kind]} on {where}, {threads} threads of {games} games"
        yield Result(what, "simulations/s", [turn.rates["simulations"]], target=target, note=f"{turn.cores:.1f} cores")


def training(job: Job, device: torch.device) -> Iterator[Result]:
    """Steps of the tower at the batch of the GPU's recipe, and how much of their time is spent in matrix products."""
    path = job.database("connect4", job.size.command_rows)
    game = load_game_config("connect4", path)
    with closing(ReplayBuffer(path, game.metadata, game.views)) as replay:
        replay.refresh()
        for batch in job.size.gpu_training_batches:
            yield from training_steps(replay, path, batch, job, device)


def training_steps(replay: ReplayBuffer, path: Path, batch: int, job: Job, device: torch.device) -> Iterator[Result]:
    """Steps of one batch size."""
    torch.manual_seed(1)
    family, width, blocks = TOWER
    network = PolicyValueNetwork(replay.metadata, family, width, layout_of(game_of("connect4")), blocks).to(device)
    config = TrainerConfig(env_id="connect4", db=path, network=family, width=width, batch_size=batch)
    learner = Learner(network, config, Unpacker(replay.metadata, replay.views, device))
    generator = np.random.default_rng(0)

    def step() -> float:
        loss = learner.learn(replay.sample_packed(generator, batch, 0.5), 0.001)
        return float(loss.total) if job.size.gpu_device == "cpu" else 0.0

    def finish() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(min(8, job.size.steps)):
        step()
    times = []
    for _ in range(job.size.rounds):
        finish()
        began = time.perf_counter()
        for _ in range(job.size.gpu_steps):
            step()
        finish()
        times.append(1000 * (time.perf_counter() - began) / job.size.gpu_steps)
    yield Result(f"connect4, training, {NAMES[TOWER]}, batches of {batch:,}", "ms/step", times)
    activities = [ProfilerActivity.CUDA] if device.type == "cuda" else [ProfilerActivity.CPU]
    with profile(activities=activities) as profiler:
        for _ in range(min(20, job.size.gpu_steps)):
            step()
        finish()
    kind = DeviceType.CUDA if device.type == "cuda" else DeviceType.CPU
    spent = [
        (event.key, event.self_device_time_total if device.type == "cuda" else event.self_cpu_time_total)
        for event in profiler.key_averages()
        if event.device_type == kind
    ]
    products = sum(own for name, own in spent if PRODUCTS.search(name))
    wall = 1000 * median(times) * min(20, job.size.gpu_steps)
    target = Target(least=0.4) if batch == max(job.size.gpu_training_batches) else Target()
    yield Result(
        f"the share of that time in matrix products, batches of {batch:,}", "", [products / wall], target=target
    )
