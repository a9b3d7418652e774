"""Self-play without a cache, next to its ceiling: what ONNX Runtime alone can evaluate.

Without a cache each simulation needs an evaluation.
"""

from __future__ import annotations

from statistics import median

from bench.report.result import Result, Target
from bench.support.actors import actor
from bench.support.job import Job
from bench.support.models import publish_model
from bench.support.onnx_runtime import OnnxRuntime
from bench.support.turns import alternate, median_per_cpu_second, rates
from bench.support.workload import ready
from trainer.games import game_of

TARGETS = {"connect4": 0.75, "othello": 0.60, "tictactoe": 0.30}
BATCHES = (64, 128, 256, 512, 1024)


def measure(job: Job) -> list[Result]:
    """Each game in turns with its ceiling."""
    return [measure_game(job, env_id, least) for env_id, least in TARGETS.items()]


def measure_game(job: Job, env_id: str, least: float) -> Result:
    """Simulations/s of the actor, against evaluations/s of its model alone."""
    size = job.size
    with job.scratch() as folder:
        alone = OnnxRuntime(publish_model(env_id, folder), env_id, size.threads)
        batch = fastest_batch(alone, size.turn / 10)
        playing = actor(
            folder,
            env_id,
            simulations=size.simulations,
            games=size.games,
            threads=size.threads,
            replay_window=size.window,
            cache=0,
        )
        with ready(playing):
            ours, theirs = alternate(
                size.rounds, lambda: playing.turn(size.turn / 2), lambda: alone.turn(batch, size.turn / 2)
            )
    share = median_per_cpu_second(ours, "simulations") / median_per_cpu_second(theirs, "evaluations")
    return Result(
        f"{game_of(env_id).display_name}, {size.simulations} simulations",
        "simulations/s",
        rates(ours, "simulations"),
        f"evaluations of ONNX Runtime alone, batch {batch}, {size.threads} threads",
        rates(theirs, "evaluations"),
        Target(least=least),
        note=f"{median(turn.cores for turn in ours):.1f} cores busy; per CPU-second {share:.0%}",
    )


def fastest_batch(alone: OnnxRuntime, seconds: float) -> int:
    """The batch size with the most evaluations per CPU-second; each is tried for `seconds`."""
    return max(BATCHES, key=lambda batch: alone.turn(batch, seconds).per_cpu_second("evaluations"))
