"""The results for people: a table in the terminal and a page of the documentation, both made from one JSON file."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.report.result import FAILED, NOT_INSTALLED, Result
from trainer.core.errors import ConfigError, first_line
from trainer.core.files import write_bytes

JSON_FILE, PAGE = "benchmarks.json", "benchmarks.md"
COLUMNS = ("measured", "ours", "theirs", "ratio", "target", "")
HEADING = """# Benchmarks

`make bench` writes this page and [benchmarks.json](benchmarks.json), which has every repeat.
The long parts run if they are named: `make bench ARGS="soak cluster cluster-soak"`. Two sides that are compared ran
in turns, and the numbers are medians. A time that is compared with nothing is the best of several. A ratio is ours / theirs.
A target is for the ratio if there is one, otherwise for our number. [performance.md](performance.md) explains
where the time goes.
"""


@dataclass(frozen=True)
class Report:
    """The results of one part, and the machine they were measured on."""

    title: str
    date: str
    machine: dict[str, str]
    results: list[Result]

    @classmethod
    def now(cls, title: str, machine: dict[str, str], results: list[Result]) -> Report:
        """A report with today's date."""
        return cls(title, time.strftime("%Y-%m-%d", time.gmtime()), machine, results)

    def fields(self) -> dict[str, Any]:
        """Plain values for the JSON file."""
        results = [result.fields() for result in self.results]
        return {"title": self.title, "date": self.date, "machine": self.machine, "results": results}


def save(reports: Mapping[str, Report], folder: Path, known: Collection[str]) -> None:
    """Replace the sections of these parts in the JSON file and the page.

    Other sections stay as they are, except those of parts that are no longer `known`.
    """
    path = folder / JSON_FILE
    stored = json.loads(path.read_text()) if path.exists() else {}
    stored |= {name: report.fields() for name, report in reports.items()}
    stored = {name: fields for name, fields in stored.items() if name in known}
    write_bytes(path, json.dumps(stored, indent=1).encode() + b"\n")
    write_bytes(folder / PAGE, page({name: read(fields) for name, fields in stored.items()}).encode())


def read(fields: dict[str, Any]) -> Report:
    """The report with these `fields`."""
    return Report(**(fields | {"results": [Result.of(result) for result in fields["results"]]}))


def load(path: Path) -> dict[str, Report]:
    """The reports in a JSON file by the names of their parts. Raises ConfigError if it has none."""
    try:
        return {name: read(fields) for name, fields in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} has no results of `python -m bench` ({first_line(error)})") from error


def page(reports: Mapping[str, Report]) -> str:
    """The page, with one section per part."""
    return "\n".join([HEADING, *(section(name, report) for name, report in reports.items())])


def section(name: str, report: Report) -> str:
    """A part in Markdown: the table, the notes, the machine."""
    lines = [f"## {report.title} (`{name}`)", "", f"| {' | '.join(COLUMNS)} |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cells(result))} |" for result in report.results]
    lines += ["", *(f"- {result.what}: {result.note}." for result in report.results if result.note)]
    machine = ", ".join(f"{key} {value}" for key, value in report.machine.items())
    return "\n".join([*lines, f"- {report.date}; {machine}.", ""])


def show(reports: Mapping[str, Report], console: Console) -> None:
    """Print all parts as one table, then the notes."""
    table = Table(*COLUMNS, title="Benchmarks", title_justify="left")
    for name, report in reports.items():
        for result in report.results:
            colour = {True: "green", False: "red", None: "default"}[result.met]
            first, *rest, verdict = cells(result)
            table.add_row(f"{name}: {first}", *rest, f"[{colour}]{verdict}[/]")
        table.add_section()
    console.print(table)
    for report in reports.values():
        for result in report.results:
            if result.note:
                console.print(f"{result.what}: {result.note}", highlight=False, markup=False)


def cells(result: Result) -> Iterator[str]:
    """The cells of a line of the table, in the order of COLUMNS."""
    yield result.what
    yield FAILED if result.figure is None else f"{number(result.figure)} {result.unit}{spread(result.ours)}".strip()
    if not result.against:
        yield from ("", "")
    elif result.their_figure is None or result.ratio is None:
        yield from (f"{result.against}: {NOT_INSTALLED}", "")
    else:
        yield f"{number(result.their_figure)}{spread(result.theirs)}, {result.against}"
        yield number(result.ratio)
    yield str(result.target)
    yield {True: "met", False: "missed", None: ""}[result.met]


def spread(repeats: list[float]) -> str:
    """The smallest and the largest of several repeats, empty for one."""
    return f" ({number(min(repeats))} to {number(max(repeats))})" if len(repeats) > 1 else ""


def number(value: float) -> str:
    """A number with the three digits that matter, or fewer."""
    if value == 0 or 0.001 <= abs(value) < 1:
        return f"{value:.2g}"
    if abs(value) < 0.001:
        return f"{value:.1e}"
    if abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"
