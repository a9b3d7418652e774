"""Things that are measured in turns, and what a turn found.

ours, theirs = alternate(5, lambda: ours.turn(10), lambda: theirs.turn(10))  # the turns of each
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Turn:
    """What one turn measured."""

    rates: dict[str, float]
    """How much each count grew per second, by the name of the count."""
    cores: float
    """CPU-seconds used per second."""

    def per_cpu_second(self, name: str) -> float:
        """The rate per CPU-second, which other programs on the machine change less."""
        return self.rates[name] / max(self.cores, 1e-9)


def alternate(rounds: int, *measures: Callable[[], Any]) -> list[list[Any]]:
    """Call the measures in turn, `rounds` times; returns the answers of each."""
    answers: list[list[Any]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, own in zip(measures, answers, strict=True):
            own.append(measure())
    return answers


def rates(turns: Sequence[Turn], name: str) -> list[float]:
    """One rate of each turn."""
    return [turn.rates[name] for turn in turns]


def median_per_cpu_second(turns: Sequence[Turn], name: str) -> float:
    """The median over the turns of a rate per CPU-second."""
    return median(turn.per_cpu_second(name) for turn in turns)
