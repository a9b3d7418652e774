"""What one measurement found, and how it stands to its target."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

NOT_INSTALLED = "not installed"
PICKS = {"median": median, "least": min, "most": max}


@dataclass(frozen=True)
class Target:
    """Bounds of the ratio ours / theirs, or of our figure where there is nothing to compare it with."""

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
    """One line of the table: our figure, theirs, and what was aimed at."""

    what: str
    unit: str
    ours: list[float]
    """Every repeat."""
    against: str = ""
    """Whom or what it is compared with."""
    theirs: list[float] = field(default_factory=list)
    """Every repeat of theirs; none where they are not installed."""
    target: Target = field(default_factory=Target)
    pick: Literal["median", "least", "most"] = "median"
    """Which of the repeats is the figure: the least is best for a time, on a machine that has other work too."""
    note: str = ""

    @property
    def figure(self) -> float:
        """Our figure."""
        return PICKS[self.pick](self.ours)

    @property
    def their_figure(self) -> float | None:
        """Theirs, None where there is none."""
        return PICKS[self.pick](self.theirs) if self.theirs else None

    @property
    def ratio(self) -> float | None:
        """Ours / theirs."""
        theirs = self.their_figure
        return self.figure / theirs if theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; None where there is none, or nothing to compare with."""
        compared = self.ratio if self.against else self.figure
        if compared is None or self.target == Target():
            return None
        return self.target.met(compared)

    def fields(self) -> dict[str, Any]:
        """Plain values: the fields, and what follows from them for readers of the JSON file."""
        values = vars(self) | {"target": vars(self.target)}
        return values | {"figure": self.figure, "ratio": self.ratio, "met": self.met}

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Result:
        """The result that `fields` are of."""
        known = {name: value for name, value in fields.items() if name in cls.__dataclass_fields__}
        return cls(**(known | {"target": Target(**fields["target"])}))
