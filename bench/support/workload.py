"""Processes that count their work, and are stopped while something else has its turn.

with ready(ours, theirs):
    alternate(5, lambda: ours.turn(10), lambda: theirs.turn(10))
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from bench.support.turns import Turn
from trainer.core.json_values import is_number, read_json_object

POLL = 0.005
"""Seconds between two looks at a count."""
PATIENCE = 600.0
"""Seconds that a process may take until it begins to work; compiling everything takes minutes on a busy machine."""
LAST_WORDS = 2000
"""How many characters of standard error go into an error message."""


class Workload:
    """Processes that count their work, on standard output or in a file."""

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        stats_file: Path | None = None,
        field: str = "count",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        patience: float | None = None,
    ) -> None:
        """Start `commands` in `folder`.

        Each process prints its count, line by line, unless there is a `stats_file`, whose `field` is then the count.
        Without an `environment` they get that of this process, and import what this process can import. `patience`: the
        seconds that a process may take until it counts; None: PATIENCE.
        """
        here = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
        self._commands = commands
        self._counts = [0 for _ in commands]
        self._stats_file, self._field = stats_file, field
        self._patience = PATIENCE if patience is None else patience
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self._processes = []
        for index, command in enumerate(commands):
            started = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL if stats_file else subprocess.PIPE,
                stderr=self._errors,
                text=True,
                env=os.environ | here if environment is None else environment,
                cwd=folder,
            )
            self._processes.append(psutil.Process(started.pid))
            if started.stdout:
                Thread(target=self._listen, args=(index, started), daemon=True).start()
            Thread(target=started.wait, daemon=True).start()

    def _listen(self, index: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                self._counts[index] = int(line)

    def counts(self) -> dict[str, float]:
        """What was counted so far: the numbers in the file, or the sum of what the processes printed, as "count"."""
        if self._stats_file is None:
            return {"count": float(sum(self._counts))}
        return {key: value for key, value in (read_json_object(self._stats_file) or {}).items() if is_number(value)}

    def warm_up(self) -> None:
        """Wait until every process has counted something, then stop them all. Raises RuntimeError."""
        end = time.monotonic() + self._patience
        while not self._all_count():
            if time.monotonic() > end or not self._all_run():
                raise RuntimeError(self._failure())
            time.sleep(POLL)
        self.stop()

    def _all_count(self) -> bool:
        return all(self._counts) if self._stats_file is None else self.counts().get(self._field, 0) > 0

    def _all_run(self) -> bool:
        return all(process.is_running() for process in self._processes)

    def _failure(self) -> str:
        """The message about processes that have ended, or have counted nothing for too long."""
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()[-LAST_WORDS:]
        commands = "; ".join(" ".join(command) for command in self._commands)
        return f"the process ended, or counted nothing: {commands}\nits standard error: {said or '(empty)'}"

    def resume(self) -> None:
        """Let the processes run."""
        for process in self._processes:
            process.resume()

    def stop(self) -> None:
        """Halt the processes where they are."""
        for process in self._processes:
            process.suspend()

    def cpu_seconds(self) -> float:
        """CPU time that the processes have used so far."""
        times = [process.cpu_times() for process in self._processes]
        return sum(used.user + used.system for used in times)

    def turn(self, seconds: float) -> Turn:
        """Run for `seconds`, and measure. Raises RuntimeError if a process has ended.

        A count may grow in jumps, so rates are taken from one change of the count to another. The turn goes on until the
        count has changed twice.
        """
        if not self._all_run():
            raise RuntimeError(self._failure())
        self.resume()
        cpu, began = self.cpu_seconds(), time.monotonic()
        first = last = (began, self.counts())
        changes = 0
        while time.monotonic() < began + seconds or changes < 2:
            if time.monotonic() > began + seconds + self._patience or not self._all_run():
                raise RuntimeError(self._failure())
            time.sleep(POLL)
            now = self.counts()
            if now.get(self._field, 0) != last[1].get(self._field, 0):
                last = (time.monotonic(), now)
                changes += 1
                if changes == 1:
                    first = last
        cores = (self.cpu_seconds() - cpu) / (time.monotonic() - began)
        self.stop()
        elapsed = max(last[0] - first[0], 1e-9)
        return Turn({key: (value - first[1].get(key, 0)) / elapsed for key, value in last[1].items()}, cores)

    def end(self) -> None:
        """Kill the processes."""
        for process in self._processes:
            if process.is_running():
                process.kill()
        psutil.wait_procs(self._processes, timeout=10)
        self._errors.close()


def wait_until(
    condition: Callable[[], object],
    what: str,
    *processes: subprocess.Popen[Any],
    every: float = POLL,
    patience: float | None = None,
) -> None:
    """Check `every` so many seconds until `condition` holds.

    Raises RuntimeError with `what`, the trouble, if one of `processes` ends before, and after `patience` seconds; None:
    PATIENCE.
    """
    patience = PATIENCE if patience is None else patience
    end = time.monotonic() + patience
    while not condition():
        for process in processes:
            if process.poll() is not None:
                raise RuntimeError(f"{what}: its process ended with status {process.returncode}")
        if time.monotonic() > end:
            raise RuntimeError(f"{what} within {patience:g} s")
        time.sleep(every)


@contextmanager
def ready(*workloads: Workload) -> Iterator[None]:
    """Warm workloads, each stopped until its turn; they are killed at the end of the block."""
    try:
        for workload in workloads:
            workload.warm_up()
        yield
    finally:
        for workload in workloads:
            workload.end()
