"""Drawing batches from the rows in memory, next to SQL's `ORDER BY RANDOM()`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import numpy as np

from bench.report.result import Result, Target
from bench.support.job import Job
from bench.support.training_steps import buffer_of
from bench.support.turns import alternate
from trainer.replay import open_for_reading
from trainer.settings.trainer import TrainerConfig

BATCH = 64
QUERY = "SELECT observation, policy_probs, game_outcome FROM transitions WHERE env_id = ? ORDER BY RANDOM() LIMIT ?"


def measure(job: Job) -> list[Result]:
    """Connect 4, batches of 64."""
    config = TrainerConfig(db=job.database("connect4"), env_id="connect4")
    generator = np.random.default_rng(0)
    with closing(buffer_of(config)) as replay, closing(open_for_reading(config.db)) as connection:

        def query() -> None:
            for row in connection.execute(QUERY, (config.env_id, BATCH)).fetchall():
                np.frombuffer(row[0], np.float32)

        replay.sample(generator, BATCH)
        ours, theirs = alternate(
            job.size.rounds,
            lambda: calls_per_second(lambda: replay.sample(generator, BATCH), 1000),
            lambda: calls_per_second(query, 1),
        )
    what = f"batches of {BATCH} from {job.size.rows:,} rows"
    return [Result(what, "batches/s", ours, f"ORDER BY RANDOM() LIMIT {BATCH}", theirs, Target(least=1000))]


def calls_per_second(call: Callable[[], object], calls: int) -> float:
    """How many calls fit into a second, measured over `calls`."""
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - began)
