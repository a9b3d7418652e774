"""Publishing a model: from weights to a checked `latest.onnx`, and how far its answers are from those of torch."""

from __future__ import annotations

import time

import numpy as np
import torch

from bench.report.result import Result, Target
from bench.support.job import Job
from bench.support.models import layer_sizes, network_of
from trainer.evaluators.loader import ModelLoader
from trainer.export import Exporter
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.run.model_files import LATEST
from trainer.training.publish import Retention, publish

BATCH = 1024


def measure(job: Job) -> list[Result]:
    """The Connect 4 network, whose weights change before each publishing; its answers are compared on one batch."""
    game = metadata_of(game_of("connect4"))
    network = network_of("connect4")
    rows = (np.random.default_rng(0).random((BATCH, game.obs_size)) < 0.3).astype(np.float32)
    legal = np.ones((BATCH, game.num_actions), np.bool_)
    with job.scratch() as folder:
        began = time.perf_counter()
        exporter = Exporter(network, game)
        publish(exporter.to_bytes(0, rows), folder, 0, Retention(10))
        first = time.perf_counter() - began
        times, checked = [], []
        for step in range(1, job.size.publishings + 1):
            with torch.no_grad():
                network.policy.bias.add_(0.01)
            began = time.perf_counter()
            content = exporter.to_bytes(step, rows)
            checked.append(1000 * (time.perf_counter() - began))
            publish(content, folder, step, Retention(10))
            times.append(1000 * (time.perf_counter() - began))
        prior, value = ModelLoader(game.env_id).load(folder / LATEST)(rows, legal)
    with torch.no_grad():
        logits, expected = network(torch.from_numpy(rows))
    difference = max(
        float(np.abs(torch.softmax(logits, 1).numpy() - prior).max()),
        float(np.abs(expected[:, 0].numpy() - value).max()),
    )
    note = (
        f"median {np.median(times):.1f} ms, of which {np.median(checked):.1f} ms for weights and check, the rest for the "
        f"disk; slowest {max(times):.1f} ms, the first {1000 * first:.0f} ms"
    )
    sizes = layer_sizes("connect4")
    return [
        Result(f"{sizes} to latest.onnx", "ms", times, target=Target(most=20), pick="least", note=note),
        Result(f"largest difference from torch, {BATCH} rows", "", [difference], target=Target(most=1e-5)),
    ]
