"""`python -m bench [part ...]`: measure, print the table, and save the results."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from rich.console import Console

from bench.parts import PARTS
from bench.report.machine import describe_machine
from bench.report.report import Report, load, save, show
from bench.support.job import Job
from bench.support.size import FULL, TINY
from trainer.core.command import run_command
from trainer.core.files import write_bytes
from trainer.settings.validation import LogLevel, require

DOCS = Path("docs")


@dataclass(frozen=True)
class BenchConfig:
    """Measure how fast the trainer is, next to other libraries and to our targets."""

    parts: tyro.conf.Positional[tuple[str, ...]] = ()
    """What to measure: selfplay, games, ceiling, cache, network, overlap, memory, coldstart, training, sampling, publish,
    load, replay, cluster, cluster-soak, gpu, gpu-learning, soak. Without names: all except the last five."""
    out: Path | None = None
    """Folder of `benchmarks.md` and `benchmarks.json`. Only the sections of the measured parts are replaced. None: docs, or
    with --tiny, whose numbers aren't to be published, the folder `tiny` in that of --work."""
    work: Path = Path("build/bench")
    """Folder for databases of a million rows, which later runs use again."""
    merge: Path | None = None
    """Measure nothing, but take over the results in a `benchmarks.json` of another machine, also an unfinished one."""
    tiny: bool = False
    """Run everything within seconds to see that it works; the numbers mean nothing."""
    rounds: int | None = None
    """Turns of each side; None: 5."""
    soak_minutes: float | None = None
    """Minutes that the part soak runs; None: 20."""
    gpu_loop_minutes: float | None = None
    """Minutes of the loop in the part gpu-learning, 0 for none; None: 3."""
    log_level: LogLevel = "WARNING"
    """What to report on standard error."""


def run(config: BenchConfig) -> int:
    """Measure the parts one by one, and replace their sections.

    What a part hands over before it ends is in `unfinished-benchmarks.json` meanwhile: there it stays if the part fails.
    """
    unknown = [name for name in config.parts if name not in PARTS]
    require(not unknown, f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    require(config.rounds is None or config.rounds >= 1, f"--rounds is {config.rounds}; at least 1 is needed")
    minutes = config.soak_minutes
    require(minutes is None or minutes > 0, f"--soak-minutes is {minutes}; a number above 0 is needed")
    loop_minutes = config.gpu_loop_minutes
    require(loop_minutes is None or loop_minutes >= 0, f"--gpu-loop-minutes is {loop_minutes}; 0 or more is needed")
    out = config.out or (config.work / "tiny" if config.tiny else DOCS)
    if config.merge:
        require(not config.parts, f"--merge is {config.merge}, and takes over all of its parts; name none")
        merged = load(config.merge)
        strange = [name for name in merged if name not in PARTS]
        require(
            not strange, f"--merge {config.merge} has a part {', '.join(strange)}; the parts are {', '.join(PARTS)}"
        )
        save(merged, out, known=PARTS)
        show(merged, Console())
        return 0
    size = TINY if config.tiny else FULL
    if config.rounds is not None:
        size = replace(size, rounds=config.rounds)
    if minutes is not None:
        size = replace(size, soak_minutes=minutes)
    if loop_minutes is not None:
        size = replace(size, gpu_loop_minutes=loop_minutes)
    console, unfinished = Console(), out / "unfinished-benchmarks.json"
    reports: dict[str, Report] = {}
    for name in config.parts or [name for name, part in PARTS.items() if not part.long]:
        part, machine, began = PARTS[name], describe_machine(), time.monotonic()
        reports[name] = Report.now(part.title, machine, [])
        for result in part.measure(Job(size, config.work)):
            reports[name].results.append(result)
            cut_short = replace(reports[name], title=f"{part.title}, cut short")
            write_bytes(unfinished, json.dumps({name: cut_short.fields()}, indent=1).encode())
        save({name: reports[name]}, out, known=PARTS)
        unfinished.unlink(missing_ok=True)
        console.print(f"{name}: {time.monotonic() - began:.0f} s", highlight=False)
    show(reports, console)
    return 0


def main() -> int:
    """The command."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that halted processes are ended, too
    return run_command(BenchConfig, run, prog="python -m bench")


if __name__ == "__main__":
    sys.exit(main())
