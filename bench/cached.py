"""How far above the ceiling of ONNX Runtime the evaluation cache takes self-play."""

from __future__ import annotations

from statistics import median

from bench.ceiling import BATCHES, Alone
from bench.job import Job
from bench.measured import Result, Target
from bench.models import place_model, trained_model
from bench.turns import alternate, loop_actor, ready
from trainer.run.model_files import LATEST


def measure(job: Job) -> list[Result]:
    """Connect 4, the loop's network and openings, with and without the cache, by turns with the ceiling of that network."""
    size = job.size
    with job.scratch() as folder:
        content = trained_model(job, folder / "run", "connect4").read_bytes()
        alone = Alone(folder / "run" / "models" / LATEST, "connect4", size.threads)
        best = max(BATCHES, key=lambda batch: alone.turn(batch, size.turn / 10).each_core("evaluations"))
        cached = loop_actor(size, folder / "with", "connect4", content)
        plain = loop_actor(size, folder / "without", "connect4", content, "--cache", 0)
        with ready(cached, plain):
            place_model(folder / "with", content)  # a reload
            cached.turn(size.after_reload)
            turns = alternate(
                size.rounds,
                lambda: cached.turn(size.turn / 2),
                lambda: alone.turn(best, size.turn / 2),
                lambda: plain.turn(size.turn / 2),
            )
    ours, ceiling, without = turns
    by_core = median(turn.each_core("simulations") for turn in ours) / median(
        turn.each_core("evaluations") for turn in ceiling
    )
    gain = median(turn.each_core("simulations") for turn in ours) / median(
        turn.each_core("simulations") for turn in without
    )
    return [
        Result(
            f"Connect 4, convolutional network, {size.after_reload:g} s after a reload",
            "simulations/s",
            [turn.rates["simulations"] for turn in ours],
            f"evaluations of ONNX Runtime alone, batch {best}, {size.threads} threads",
            [turn.rates["evaluations"] for turn in ceiling],
            Target(least=1.3),
            note=f"by the time on a core {by_core:.2f} of the ceiling, {gain:.2f} times self-play without a cache",
        )
    ]
