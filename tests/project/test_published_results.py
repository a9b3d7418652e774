"""The README's table of wrong moves is computed from the files of the published runs."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
SEARCH, MINIMAX = "600 simulations", "Minimax(5 plies)"
SOURCES = {
    "after 15 minutes": ("connect4-15min*/errors-15min.json", SEARCH),
    "after an hour": ("connect4-60min/errors-60min.json", SEARCH),
    "the same model in": ("connect4-60min/other-positions.json", SEARCH),
    "minimax": ("connect4-60min/errors-60min.json", MINIMAX),
}
"""The files and the player of each row, by the beginning of its first cell."""


def table() -> list[list[str]]:
    """The cells of the README's table, row by row, the headings first."""
    (shown,) = re.findall(r"(?m)^\| wrong moves in % (?:.*\n)(?:\|.*\n)+", (ROOT / "README.md").read_text())
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines()]
    return [row for row in rows if set(row[0]) != {"-"}]


def wrong_moves(files: str, player: str, kind: str) -> Fraction:
    """Percentage of a player's moves in positions of a kind that give away a win or a draw: the mean over these files."""
    shares = []
    for path in RESULTS.glob(files):
        (found,) = (one for one in json.loads(path.read_text())["results"] if one["player"] == player)
        counts = found if kind == "all" else found["kinds"][kind]
        shares.append(Fraction(100 * counts["weak_errors"], counts["positions"]))
    return sum(shares, Fraction()) / len(shares)


def test_the_readmes_table_of_wrong_moves_has_the_numbers_of_the_published_runs() -> None:
    """Rounded to the digits that are shown."""
    (_, *kinds), *rows = table()
    assert len(rows) == len(SOURCES)
    for (what, *cells), (beginning, (files, player)) in zip(rows, SOURCES.items(), strict=True):
        assert what.startswith(beginning)
        for kind, shown in zip(kinds, cells, strict=True):
            exact = wrong_moves(files, player, kind.partition(",")[0])
            last_digit = Fraction(1, 10 ** len(shown.partition(".")[2]))
            assert abs(Fraction(shown) - exact) <= last_digit / 2, f"{what}, {kind}: {shown} is {float(exact):.4f}"
