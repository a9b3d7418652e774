"""A bar chart as SVG, readable on a white and on a black page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDTH, LABEL, ROW = 760, 250, 26
COLOUR, TEXT = "#3b82c4", "#808080"


def bar_chart(title: str, unit: str, values: Mapping[str, float]) -> str:
    """One bar for each value, in the order given, with its share of the sum."""
    total, largest = sum(values.values()), max(values.values())
    height = 40 + ROW * len(values)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
        f'font-size="13" fill="{TEXT}">',
        f'<text x="0" y="18" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for index, (name, value) in enumerate(values.items()):
        top = 34 + ROW * index
        length = (WIDTH - LABEL - 150) * value / largest
        figure = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        lines += [
            f'<text x="{LABEL - 10}" y="{top + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LABEL}" y="{top}" width="{length:.1f}" height="18" fill="{COLOUR}"/>',
            f'<text x="{LABEL + length + 8:.1f}" y="{top + 14}">{figure} {unit} ({value / total:.0%})</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
