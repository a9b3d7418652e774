"""The list of parts. Each part is a file in this folder with a function `measure(job)` that makes Results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.parts import (
    cache,
    ceiling,
    cluster,
    coldstart,
    games,
    load,
    memory,
    network,
    publish,
    replay,
    sampling,
    selfplay,
    soak,
    training,
)
from bench.parts.gpu import learning, overlap, play
from bench.report.result import Result
from bench.support.job import Job


@dataclass(frozen=True)
class Part:
    """One part of the benchmarks."""

    title: str
    measure: Callable[[Job], Iterable[Result]]
    long: bool = False
    """Runs only if it is named on the command line."""


PARTS = {
    "selfplay": Part("Self-play next to other libraries", selfplay.measure),
    "games": Part("Every game: self-play next to OpenSpiel, and the rules alone", games.measure),
    "ceiling": Part("Self-play next to its ceiling", ceiling.measure),
    "cache": Part("Self-play with the evaluation cache", cache.measure),
    "network": Part("Evaluating a network by its active inputs", network.measure),
    "overlap": Part("Searching while a device evaluates", overlap.measure),
    "memory": Part("Memory of an actor", memory.measure),
    "coldstart": Part("From the start to the first stored game", coldstart.measure),
    "training": Part("Training", training.measure),
    "sampling": Part("Drawing a batch", sampling.measure),
    "publish": Part("Publishing a model", publish.measure),
    "load": Part("Loading the replay database", load.measure),
    "replay": Part("Writing the replay database", replay.measure),
    "cluster": Part("A Ray cluster", cluster.measure, long=True),
    "cluster-soak": Part("Memory of a Ray cluster over time", cluster.soak, long=True),
    "gpu": Part("One GPU: evaluations and self-play", play.measure, long=True),
    "gpu-learning": Part("One GPU: training and the loop", learning.measure, long=True),
    "soak": Part("Actor and trainer over time", soak.measure, long=True),
}
