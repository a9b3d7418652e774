"""`python -m bench [part ...]`: measure, show, and write it down."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from rich.console import Console

from bench.job import Job
from bench.machine import describe_machine
from bench.parts import PARTS
from bench.report import Report, save, show
from bench.size import FULL, TINY
from trainer.core.command import run_command
from trainer.settings.validation import LogLevel, require


@dataclass(frozen=True)
class BenchConfig:
    """Measure how fast the trainer is, beside its peers and its targets."""

    parts: tyro.conf.Positional[tuple[str, ...]] = ()
    """What to measure: selfplay, ceiling, cache, network, int8, coldstart, training, sampling, publish, load, replay, soak;
    none: all but soak."""
    out: Path = Path("docs")
    """Folder for `benchmarks.md` and `benchmarks.json`; the sections of other parts stay."""
    work: Path = Path("build/bench")
    """Folder for databases of a million rows, which are kept for the next run."""
    tiny: bool = False
    """Run through everything in seconds, to see that it works; the figures say nothing."""
    rounds: int | None = None
    """Turns of each; None: 5."""
    soak_minutes: float | None = None
    """Length of the part soak; None: 20."""
    log_level: LogLevel = "WARNING"
    """What to report on standard error."""


def run(config: BenchConfig) -> int:
    """Measure part by part; each is written down as soon as it is done."""
    unknown = [name for name in config.parts if name not in PARTS]
    require(not unknown, f"no part is named {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    require(config.rounds is None or config.rounds >= 1, f"--rounds is {config.rounds}; at least 1 is needed")
    minutes = config.soak_minutes
    require(minutes is None or minutes > 0, f"--soak-minutes is {minutes}; a number above 0 is needed")
    chosen = {"rounds": config.rounds, "soak_minutes": config.soak_minutes}
    changed = {name: value for name, value in chosen.items() if value is not None}
    size = replace(TINY if config.tiny else FULL, **changed)  # type: ignore[arg-type]
    console = Console()
    reports: dict[str, Report] = {}
    for name in config.parts or [name for name, part in PARTS.items() if not part.long]:
        part, machine, began = PARTS[name], describe_machine(), time.monotonic()
        results = part.measure(Job(size, config.work))
        console.print(f"{name}: {time.monotonic() - began:.0f} s", highlight=False)
        reports[name] = Report.now(part.title, machine, results)
        save({name: reports[name]}, config.out)
    show(reports, console)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(BenchConfig, run, prog="python -m bench"))
