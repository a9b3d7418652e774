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
CONTAINER_TESTS = ("run/test_actor_stats_file.py", "core/test_processes.py", "compile/test_linker.py")
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


TESTING = "tests"


@dataclass(frozen=True)
class Part:
    """What tries a promise, or a part of it: a program of this folder, or tests."""

    program: str
    """Its name; TESTING for tests."""
    arguments: tuple[object, ...] = ()
    """Of the program; of tests, what pytest is to run."""


@dataclass(frozen=True)
class Promise:
    """A row of docs/reliability.md and what tries it."""

    name: str
    parts: tuple[Part, ...]


def program(name: str, *arguments: object) -> Part:
    """A program of this folder."""
    return Part(name, arguments)


def tests(*arguments: str) -> Part:
    """Tests, by their files and `-k`."""
    return Part(TESTING, arguments)


def promise(name: str, *parts: Part) -> Promise:
    """A promise that all of `parts` try."""
    return Promise(name, parts)


NEEDS_RAY = 'not tried, because Ray is not installed: pip install -e ".[cluster]"'


def promises_of(size: Torture) -> tuple[Promise, ...]:
    """All of them; the one that takes longest comes first, the others beside it."""
    faults, damage = "reliability/test_faults.py", "reliability/test_damage.py"
    disk, database, model = (f"reliability/test_{name}.py" for name in ("full_disk", "lost_database", "broken_model"))
    return (
        promise(
            "Many at one database", program("crowd", size.seconds), tests("replay/test_replay.py", "-k", "concurrent")
        ),
        promise("Killed and resumed", program("resume", size.steps, 5)),
        promise("Death at every change of a file", program("death")),
        promise("Death in a commit", program("commits")),
        promise("Death at any moment", program("kills", size.moments)),
        promise("Death in a cluster", program("cluster", size.kills)),
        promise("Damaged files", program("damage", size.inputs), tests(damage, "-k", "any_metadata or any_statistics")),
        promise("Damaged requests and pages", program("page", size.inputs // 2), tests(damage, "-k", "any_body")),
        promise(
            "Ctrl-C",
            program("interrupts"),
            tests(faults, "training/test_trainer.py", "launch/test_loop.py", "-k", "ctrl_c or interrupted or ctrl_z"),
        ),
        promise("Starting anew", tests("training/test_trainer.py", "-k", "aside")),
        promise("Safe checkpoints", tests("training/test_checkpoint.py")),
        promise("Damaged rows", tests(faults, damage, "-k", "damaged_rows or any_row")),
        promise("Full disks and read-only folders", tests(disk), tests(model, "-k", "full_disk")),
        promise("Replaced databases", tests(database, "-k", "deleted or replaced")),
        promise("Locked databases", tests(database, "-k", "locked or for_now")),
        promise("Broken models", tests(model, "-k", "latest_model or fails_in_use or the_page or costs_the_loop")),
        promise(
            "Broken weights",
            tests(model, "training/test_checkpoint.py", "-k", "not_finite or breaks_training"),
            tests("export/test_export.py"),
        ),
        promise("A clock that jumps", tests(faults, "-k", "clock")),
        promise("One owner per run", tests("run/test_owner.py")),
        promise("Odd names", tests("reliability/test_odd_names.py", "core/test_files.py")),
        promise("Containers", tests("reliability/test_containers.py", *CONTAINER_TESTS)),
        promise("Saved before printed", tests("reliability/test_output.py")),
        promise("Updates", tests("run/test_record.py", "training/test_checkpoint.py")),
        promise("Read without write access", tests("replay/test_without_write_access.py")),
    )


def tried(promise: Promise, folder: Path) -> tuple[bool, str]:
    """Whether all parts of a promise hold, and their figures."""
    results = [tried_part(promise.name, part, folder) for part in promise.parts]
    return all(holds for holds, _ in results), "; ".join(figure for _, figure in results)


def tried_part(name: str, part: Part, folder: Path) -> tuple[bool, str]:
    """Whether a part holds, and its figure: the last line of the program, or how many tests passed."""
    if part.program == "cluster" and find_spec("ray") is None:
        print(f"{name}: {NEEDS_RAY}", flush=True)
        return True, NEEDS_RAY
    if part.program == TESTING:
        names = [str(TESTS / word) if str(word).endswith(".py") else str(word) for word in part.arguments]
        command = ["-m", "pytest", "-m", "", "-p", "no:cacheprovider", *names]
    else:
        place = folder / part.program
        command = ["-m", f"torture.{part.program}", str(place), *map(str, part.arguments)]
    paths = os.pathsep.join(filter(None, (str(TESTS), str(TESTS / "support"), os.environ.get("PYTHONPATH"))))
    began = time.monotonic()
    log_file = folder / f"{name} ({part.program} {' '.join(map(str, part.arguments)).replace('/', '-')}).log"
    with open(log_file, "wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": paths}, cwd=TESTS.parent
        )
        try:
            status = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    said = log_file.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    figure = said[-1]
    if part.program == TESTING:
        counts = [line for line in said if re.match(r"=*\s*\d+ (passed|failed)", line)] or said
        figure = re.sub(r"(, \d+ deselected)? in .*", "", counts[-1]).strip("= ")
    print(f"{name}: {'holds' if status == 0 else 'BROKEN'}, {time.monotonic() - began:.0f} s", flush=True)
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
