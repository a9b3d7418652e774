"""A plot: curves with their intervals as a PNG file. Needs `matplotlib`, an optional extra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.core.files import atomic_write
from trainer.core.packages import require_matplotlib


@dataclass(frozen=True)
class Curve:
    """Points in order of x, with the ends of their intervals if they have any."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def save_plot(path: Path, title: str, x_label: str, y_label: str, curves: Sequence[Curve]) -> None:
    """Draw all curves into one picture and write it as a PNG file."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        (line,) = axes.plot(curve.x, curve.y, marker="o", markersize=4, label=curve.name)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.x, curve.low, curve.high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        axes.legend()
    with atomic_write(path) as file:
        figure.savefig(file, format="png")
