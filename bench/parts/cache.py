"""Self-play with the evaluation cache: how far it gets above what ONNX Runtime alone can evaluate."""

from __future__ import annotations

from bench.parts.ceiling import fastest_batch
from bench.report.result import Result, Target
from bench.support.actors import loop_actor
from bench.support.job import Job
from bench.support.models import place_model, trained_model
from bench.support.onnx_runtime import OnnxRuntime
from bench.support.turns import alternate, median_per_cpu_second, rates
from bench.support.workload import ready


def measure(job: Job) -> list[Result]:
    """Connect 4 with the loop's network and openings, in turns: with the cache, ONNX Runtime alone, without the cache."""
    size = job.size
    with job.scratch() as folder:
        model = trained_model(job, folder / "run", "connect4")
        content = model.read_bytes()
        alone = OnnxRuntime(model, "connect4", size.threads)
        batch = fastest_batch(alone, size.turn / 10)
        cached = loop_actor(size, folder / "with", "connect4", content)
        uncached = loop_actor(size, folder / "without", "connect4", content, cache=0)
        with ready(cached, uncached):
            place_model(folder / "with", content)  # the actor reloads it and empties its cache
            cached.turn(size.after_reload)
            ours, ceiling, without = alternate(
                size.rounds,
                lambda: cached.turn(size.turn / 2),
                lambda: alone.turn(batch, size.turn / 2),
                lambda: uncached.turn(size.turn / 2),
            )
    per_cpu_second = median_per_cpu_second(ours, "simulations")
    to_ceiling = per_cpu_second / median_per_cpu_second(ceiling, "evaluations")
    to_uncached = per_cpu_second / median_per_cpu_second(without, "simulations")
    return [
        Result(
            f"Connect 4, convolutional network, {size.after_reload:g} s after a reload",
            "simulations/s",
            rates(ours, "simulations"),
            f"evaluations of ONNX Runtime alone, batch {batch}, {size.threads} threads",
            rates(ceiling, "evaluations"),
            Target(least=1.3),
            note=f"per CPU-second {to_ceiling:.2f} of the ceiling, {to_uncached:.2f} times self-play without a cache",
        )
    ]
