"""Things that run by turns: processes that are stopped while it is another's turn, and loops in this process.

    with ready(ours, theirs):
        alternate(5, lambda: ours.turn(10), lambda: theirs.turn(10))    # the turns of each

Each turn is measured from one change of a count to another, so that a count which moves in jumps is not cut.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from bench.models import place_model
from bench.size import Size
from trainer.actor.actor import ActorConfig
from trainer.core.json_values import is_number, read_json_object
from trainer.run.actor_statistics import ACTOR_STATS_FILE
from trainer.settings.recipes import RECIPES

POLL = 0.005
START_SECONDS = 240.0
"""How long something may take until it is warm."""


class Contender:
    """Processes that count what they do, on their standard output or in a file."""

    def __init__(self, commands: Sequence[Sequence[str]], stats_file: Path | None = None, field: str = "") -> None:
        """Start `commands`; each prints its count, line by line, unless `field` of `stats_file` holds it."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])}
        self._commands = commands
        self._counts = [0 for _ in commands]
        self._stats_file, self._field = stats_file, field
        self._processes = []
        for index, command in enumerate(commands):
            output = subprocess.DEVNULL if stats_file else subprocess.PIPE
            started = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, text=True, env=environment)
            self._processes.append(psutil.Process(started.pid))
            if started.stdout:
                Thread(target=self._listen, args=(index, started), daemon=True).start()
            Thread(target=started.wait, daemon=True).start()

    def _listen(self, index: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                self._counts[index] = int(line)

    def count(self) -> dict[str, float]:
        """What was done so far, by name."""
        if self._stats_file is None:
            return {"count": float(sum(self._counts))}
        return {key: value for key, value in (read_json_object(self._stats_file) or {}).items() if is_number(value)}

    def key(self) -> str:
        """The name of the count that turns are measured by."""
        return self._field or "count"

    def warm_up(self) -> None:
        """Wait until every process has counted, and stop them. Raises RuntimeError."""
        end = time.monotonic() + START_SECONDS
        while not self._is_counting():
            if time.monotonic() > end or not all(process.is_running() for process in self._processes):
                commands = "; ".join(" ".join(command) for command in self._commands)
                raise RuntimeError(f"nothing was counted; run this by hand to see why: {commands}")
            time.sleep(POLL)
        self.stop()

    def _is_counting(self) -> bool:
        return all(self._counts) if self._stats_file is None else self.count().get(self._field, 0) > 0

    def go_on(self) -> None:
        """Let the processes run."""
        for process in self._processes:
            process.resume()

    def stop(self) -> None:
        """Halt the processes where they are."""
        for process in self._processes:
            process.suspend()

    def cpu_seconds(self) -> float:
        """Time that the processes have used, over all cores."""
        times = [process.cpu_times() for process in self._processes]
        return sum(used.user + used.system for used in times)

    def turn(self, seconds: float) -> Turn:
        """Run for so long, and measure."""
        self.go_on()
        cpu, began = self.cpu_seconds(), time.monotonic()
        first = last = (began, self.count())
        changes = 0
        while time.monotonic() < began + seconds or (changes < 2 and time.monotonic() < began + 10 * seconds):
            time.sleep(POLL)
            now = self.count()
            if now.get(self.key(), 0) != last[1].get(self.key(), 0):
                last = (time.monotonic(), now)
                changes += 1
                if changes == 1:
                    first = last
        cpu_share = (self.cpu_seconds() - cpu) / (time.monotonic() - began)
        self.stop()
        gone = max(last[0] - first[0], 1e-9)
        return Turn({key: (value - first[1].get(key, 0)) / gone for key, value in last[1].items()}, cpu_share)

    def end(self) -> None:
        """Kill the processes."""
        for process in self._processes:
            if process.is_running():
                process.kill()
        psutil.wait_procs(self._processes, timeout=10)


@dataclass(frozen=True)
class Turn:
    """What a turn measured."""

    rates: dict[str, float]
    """What each count grew by in a second."""
    cores: float
    """Cores that were kept busy."""

    def each_core(self, name: str) -> float:
        """The rate by the time that was had on a core, which other work on the machine changes less."""
        return self.rates[name] / max(self.cores, 1e-9)


@contextmanager
def ready(*contenders: Contender) -> Iterator[None]:
    """Warm processes, each stopped until its turn; killed at the end of the block."""
    try:
        for contender in contenders:
            contender.warm_up()
        yield
    finally:
        for contender in contenders:
            contender.end()


def alternate(rounds: int, *measures: Callable[[], Any]) -> list[list[Any]]:
    """Call the measures in turn, `rounds` times; returns the answers of each."""
    answers: list[list[Any]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, own in zip(measures, answers, strict=True):
            own.append(measure())
    return answers


def actor(folder: Path, env_id: str, *flags: object) -> Contender:
    """The actor as a user starts it, playing with the model in `folder` and writing rows to its database."""
    command = [
        *(sys.executable, "-m", "trainer.actor", "--env-id", env_id, "--wait-for-model", "--data-dir", str(folder)),
        *("--replay-db-path", str(folder / "replay.db"), "--log-level", "ERROR", *map(str, flags)),
    ]
    return Contender([command], folder / ACTOR_STATS_FILE, "total_steps")


def loop_actor(size: Size, folder: Path, env_id: str, content: bytes, *flags: object) -> Contender:
    """An actor that plays a model of its own in `folder`, with PUCT and the openings that the loop gives it."""
    place_model(folder, content)
    return actor(
        folder,
        env_id,
        *("--simulations", size.simulations, "--threads", size.threads, "--games", min(size.games, ActorConfig.games)),
        *("--random-openings", RECIPES[env_id].random_openings, "--replay-window", 200_000),
        *flags,
    )
