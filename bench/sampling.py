"""Batches a second, from the mirror in memory and by `ORDER BY RANDOM()`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import numpy as np

from bench.job import Job
from bench.measured import Result, Target
from bench.training import mirror_of
from bench.turns import alternate
from trainer.replay import open_for_reading
from trainer.settings.trainer import TrainerConfig

BATCH = 64
QUERY = "SELECT observation, policy_probs, game_outcome FROM transitions WHERE env_id = ? ORDER BY RANDOM() LIMIT ?"


def measure(job: Job) -> list[Result]:
    """Connect 4, batches of 64."""
    config = TrainerConfig(db=job.database("connect4"), env_id="connect4")
    generator = np.random.default_rng(0)
    with closing(mirror_of(config)) as replay, closing(open_for_reading(config.db)) as connection:

        def query() -> None:
            for row in connection.execute(QUERY, (config.env_id, BATCH)).fetchall():
                np.frombuffer(row[0], np.float32)

        replay.sample(generator, BATCH)
        ours, theirs = alternate(
            job.size.rounds,
            lambda: per_second(lambda: replay.sample(generator, BATCH), 1000),
            lambda: per_second(query, 1),
        )
    what = f"batches of {BATCH} from {job.size.rows:,} rows"
    return [Result(what, "batches/s", ours, f"ORDER BY RANDOM() LIMIT {BATCH}", theirs, Target(least=1000))]


def per_second(call: Callable[[], object], calls: int) -> float:
    """How often something can be called in a second."""
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - began)
