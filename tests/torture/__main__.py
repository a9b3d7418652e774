"""`make torture`: every promise of docs/reliability.md tried, one figure for each; exit status 0 where all of them hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).parent.parent
CONTAINER_TESTS = ("run/test_actor_statistics.py", "core/test_processes.py", "compile/test_linker.py")
LONGEST = 7200
"""Seconds after which a part counts as hung."""


@dataclass(frozen=True)
class Torture:
    """Try what docs/reliability.md promises, by real processes, real kills and fixed seeds."""

    seconds: int = 600
    """Of many at one database."""
    steps: int = 100_000
    """Of the run that is killed five times."""
    moments: int = 60
    """At which actor, trainer, loop and page are killed, in all."""
    kills: int = 30
    """Of players, hub, driver, trainer, nodes and head of a Ray cluster."""
    inputs: int = 10_000
    """Damaged files, and half as many damaged requests and pages."""


@dataclass(frozen=True)
class Promise:
    """A row of docs/reliability.md and what tries it: a program of this folder, or tests."""

    name: str
    program: str
    arguments: tuple[object, ...] = ()
    """Of the program; of tests, what pytest is to run."""


NEEDS_RAY = 'not tried, because Ray is not installed: pip install -e ".[cluster]"'


def promises_of(size: Torture) -> tuple[Promise, ...]:
    """All of them; the one that takes longest comes first, the others beside it."""
    return (
        Promise("Many at one database", "crowd", (size.seconds,)),
        Promise("Killed and resumed", "resume", (size.steps, 5)),
        Promise("Death at every change of a file", "death"),
        Promise("Death in a commit", "commits"),
        Promise("Death at any moment", "kills", (size.moments,)),
        Promise("Death in a cluster", "cluster", (size.kills,)),
        Promise("Damaged files", "damage", (size.inputs,)),
        Promise("Damaged requests and pages", "page", (size.inputs // 2,)),
        Promise("Ctrl-C", "interrupts"),
        Promise("Starting anew", "tests", ("training/test_trainer.py", "-k", "aside")),
        Promise("Safe checkpoints", "tests", ("training/test_checkpoint.py",)),
        Promise(
            "Damaged rows",
            "tests",
            ("reliability/test_faults.py", "reliability/test_damage.py", "-k", "damaged_rows or any_row"),
        ),
        Promise("Full disks and read-only folders", "tests", ("reliability/test_faults.py", "-k", "disk or read_only")),
        Promise(
            "Replaced databases", "tests", ("reliability/test_faults.py", "-k", "database and (deleted or replaced)")
        ),
        Promise("Locked databases", "tests", ("reliability/test_faults.py", "-k", "locked or for_now")),
        Promise("Broken models", "tests", ("reliability/test_faults.py", "-k", "broken or fails_in_use")),
        Promise(
            "Broken weights",
            "tests",
            ("reliability/test_faults.py", "training/test_checkpoint.py", "-k", "no_numbers or breaks_training"),
        ),
        Promise("A clock that jumps", "tests", ("reliability/test_faults.py", "-k", "clock")),
        Promise("One owner per run", "tests", ("run/test_owner.py",)),
        Promise("Odd names", "tests", ("reliability/test_odd_names.py", "core/test_files.py")),
        Promise("Containers", "tests", ("reliability/test_containers.py", *CONTAINER_TESTS)),
        Promise("Saved before printed", "tests", ("reliability/test_output.py",)),
        Promise("Read without write access", "tests", ("replay/test_without_write_access.py",)),
    )


def tried(promise: Promise, folder: Path) -> tuple[bool, str]:
    """Whether a promise holds, and the figure: the last line of the program, or how many tests passed."""
    if promise.program == "cluster" and find_spec("ray") is None:
        print(f"{promise.name}: {NEEDS_RAY}", flush=True)
        return True, NEEDS_RAY
    if promise.program == "tests":
        names = [str(TESTS / word) if str(word).endswith(".py") else str(word) for word in promise.arguments]
        command = ["-m", "pytest", "-m", "", "-p", "no:cacheprovider", *names]
    else:
        place = folder / promise.program
        command = ["-m", f"torture.{promise.program}", str(place), *map(str, promise.arguments)]
    paths = os.pathsep.join(filter(None, (str(TESTS), str(TESTS / "support"), os.environ.get("PYTHONPATH"))))
    began = time.monotonic()
    with open(folder / f"{promise.name}.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": paths}, cwd=TESTS.parent
        )
        try:
            status = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    said = (folder / f"{promise.name}.log").read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    figure = said[-1]
    if promise.program == "tests":
        counts = [line for line in said if re.match(r"=*\s*\d+ (passed|failed)", line)] or said
        figure = re.sub(r"(, \d+ deselected)? in .*", "", counts[-1]).strip("= ")
    print(f"{promise.name}: {'holds' if status == 0 else 'BROKEN'}, {time.monotonic() - began:.0f} s", flush=True)
    return status == 0, figure


def main(size: Torture) -> int:
    """Try everything, two at a time; the logs stay where something is broken."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    promises = promises_of(size)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda promise: tried(promise, folder), promises))
    table = Table("promise", "holds", "figure", title="docs/reliability.md")
    for promise, (holds, figure) in zip(promises, results, strict=True):
        table.add_row(promise.name, "yes" if holds else "NO", figure)
    Console(width=None if sys.stdout.isatty() else 150).print(table)
    if all(holds for holds, _ in results):
        shutil.rmtree(folder)
        return 0
    print(f"the logs are in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Torture, prog="make torture")))
