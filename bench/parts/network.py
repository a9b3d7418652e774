"""Evaluating a network by its active inputs, as self-play does, next to ONNX Runtime; both on one core."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np

from bench.report.result import Result
from bench.support.job import Job
from bench.support.models import publish_model, trained_model
from bench.support.turns import alternate
from trainer.evaluators.acceleration import random_play
from trainer.evaluators.model import ModelEvaluator
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.evaluators.sparse import SparseAccelerator
from trainer.games import game_of
from trainer.games.library import OF_CONTRACT

BATCH = 128


def measure(job: Job) -> list[Result]:
    """The MLP of each game with random weights, and the loop's network for Connect 4 after a short run."""
    with job.scratch() as folder:
        files = [(env_id, "MLP, random weights", publish_model(env_id, folder / env_id)) for env_id in OF_CONTRACT]
        files += [("connect4", "the loop's network", trained_model(job, folder / "run", "connect4"))]
        return [compare(job, env_id, name, path) for env_id, name, path in files]


def compare(job: Job, env_id: str, name: str, path: Path) -> Result:
    """One model, on positions of random games."""
    game = game_of(env_id)
    model = OnnxEvaluator(path.read_bytes(), str(path), env_id)
    accelerated = SparseAccelerator(env_id)(path.read_bytes(), model)
    assert accelerated is not None
    observation, _ = random_play(env_id, seed=2)
    rows = np.random.default_rng(0).choice(observation, BATCH)
    ours, theirs = alternate(
        job.size.rounds,
        lambda: rate(accelerated, rows, job.size.turn / 10),
        lambda: rate(model, rows, job.size.turn / 10),
    )
    pairs = zip(accelerated.outputs(rows), model.outputs(rows), strict=True)
    difference = max(float(np.abs(one - other).max()) for one, other in pairs)
    return Result(
        f"{game.display_name}, {name}",
        "evaluations/s",
        ours,
        f"ONNX Runtime, batch {BATCH}",
        theirs,
        note=f"outputs differ by at most {difference:.1g}; {1e9 / median(ours):,.0f} ns of CPU time per evaluation",
    )


def rate(model: ModelEvaluator, rows: np.ndarray, seconds: float) -> float:
    """Rows evaluated per second of this thread's CPU time, measured for `seconds` of it."""
    model.outputs(rows)
    began, done = time.thread_time(), 0
    while time.thread_time() < began + seconds:
        model.outputs(rows)
        done += len(rows)
    return done / (time.thread_time() - began)
