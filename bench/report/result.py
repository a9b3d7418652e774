"""What one measurement found, and how it compares to its target."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

log = logging.getLogger(__name__)

NOT_INSTALLED, FAILED = "not installed", "failed"
PICKS = {"median": median, "least": min, "most": max}
LAST_WORDS = 500
"""How many characters of an error become a note."""


@dataclass(frozen=True)
class Target:
    """Bounds of the ratio ours / theirs, or of our figure if it is compared with nothing."""

    least: float | None = None
    most: float | None = None

    def met(self, figure: float) -> bool:
        """Whether a figure is within the bounds."""
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)

    def __str__(self) -> str:
        words = [("at least", self.least), ("at most", self.most)]
        return ", ".join(f"{word} {bound:,g}" for word, bound in words if bound is not None)


@dataclass(frozen=True)
class Result:
    """One line of the table: our figure, theirs, and the target."""

    what: str
    """What was measured."""
    unit: str
    ours: list[float]
    """Every repeat of ours; empty if it failed."""
    against: str = ""
    """What it is compared with; empty: nothing."""
    theirs: list[float] = field(default_factory=list)
    """Every repeat of theirs; empty if the peer is not installed."""
    target: Target = field(default_factory=Target)
    pick: Literal["median", "least", "most"] = "median"
    """Which of the repeats is the figure. For a time alone, the least is disturbed least by other programs."""
    note: str = ""

    @property
    def figure(self) -> float | None:
        """Our figure; None if there is none."""
        return PICKS[self.pick](self.ours) if self.ours else None

    @property
    def their_figure(self) -> float | None:
        """Theirs; None if there is none."""
        return PICKS[self.pick](self.theirs) if self.theirs else None

    @property
    def ratio(self) -> float | None:
        """Ours / theirs; None if there is nothing to compare with."""
        ours, theirs = self.figure, self.their_figure
        return ours / theirs if ours is not None and theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is no target, or nothing to compare with."""
        compared = self.ratio if self.against else self.figure
        if compared is None or self.target == Target():
            return None
        return self.target.met(compared)

    def fields(self) -> dict[str, Any]:
        """Plain values for the JSON file: the fields, and for its readers what follows from them."""
        return dataclasses.asdict(self) | {"figure": self.figure, "ratio": self.ratio, "met": self.met}

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Result:
        """The result with these `fields`."""
        names = [one.name for one in dataclasses.fields(cls)]
        known = {name: fields[name] for name in names if name in fields}
        return cls(**(known | {"target": Target(**fields["target"])}))


def or_failed(what: str, results: Iterable[Result]) -> Iterator[Result]:
    """The `results` as they are made. If that fails, the last one says why, so that others are still measured."""
    try:
        yield from results
    except Exception as error:  # whatever a device, a library or a process raises
        log.exception("%s: %s", what, FAILED)
        yield Result(what, "", [], note=f"{type(error).__name__}: {' '.join(str(error).split())[-LAST_WORDS:]}")
