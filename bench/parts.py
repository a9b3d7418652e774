"""The list of parts. Each is `measure(job) -> list[Result]` in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import (
    cached,
    ceiling,
    coldstart,
    loading,
    network,
    publishing,
    quantized,
    sampling,
    selfplay,
    soak,
    training,
    writing,
)
from bench.job import Job
from bench.measured import Result


@dataclass(frozen=True)
class Part:
    """One part of the suite."""

    title: str
    measure: Callable[[Job], list[Result]]
    long: bool = False
    """Runs only when it is asked for by name."""


PARTS = {
    "selfplay": Part("Self-play beside the peers", selfplay.measure),
    "ceiling": Part("Self-play beside its ceiling", ceiling.measure),
    "cache": Part("Self-play with the evaluation cache", cached.measure),
    "network": Part("A network evaluated by its active inputs", network.measure),
    "int8": Part("Self-play in 8-bit integers", quantized.measure),
    "coldstart": Part("From start to the first stored game", coldstart.measure),
    "training": Part("A training step", training.measure),
    "sampling": Part("Drawing a batch", sampling.measure),
    "publish": Part("Publishing a model", publishing.measure),
    "load": Part("Filling the memory", loading.measure),
    "replay": Part("Writing the replay database", writing.measure),
    "soak": Part("Twenty minutes on end", soak.measure, long=True),
}
