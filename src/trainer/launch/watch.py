"""The display of a run while it learns."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from trainer.core.json_values import has_numbers, number_fields, read_json_object
from trainer.core.output import say
from trainer.evaluators.loader import ModelLoader
from trainer.launch.evaluations import Evaluations
from trainer.launch.summary import summary
from trainer.run.actor_stats import ActorTotals
from trainer.run.actor_stats_file import rates_in
from trainer.run.folder import RunFolder
from trainer.run.training_statistics import TrainingStats, merge_evaluations

log = logging.getLogger(__name__)

LINE_EVERY = 10.0
"""Seconds between lines of progress if the output isn't a terminal."""
TRAINER_NUMBERS = number_fields(TrainingStats)
ACTOR_NUMBERS = number_fields(ActorTotals)


class Watch:
    """Reads the statistics of a run, has its newest models evaluated, and shows both."""

    def __init__(self, run: RunFolder, loader: ModelLoader, seed: int, resumed: bool = False) -> None:
        """As for `Evaluations`."""
        self._env_id = loader.env_id
        self._run = run
        self._evaluations = Evaluations(run, loader, seed, resumed)
        self._began = time.monotonic()
        self._since = " since it was resumed" if resumed else ""
        self._next_line = LINE_EVERY
        self._live: Live | None = None
        self._old = 0
        self._old = self._stamp()

    def shown(self, console: Console) -> AbstractContextManager[object]:
        """A display that is redrawn at each look if the output is a terminal; otherwise a line is logged now and then."""
        # With FORCE_COLOR rich takes a file for a terminal.
        drawn = console.is_terminal and not console.is_dumb_terminal and console.file.isatty()
        self._live = Live(console=console, auto_refresh=False) if drawn else None
        return self._live or nullcontext()

    def look(self) -> None:
        """Read the statistics, begin to evaluate a new model, show the progress."""
        stats = self._stats()
        self._evaluations.begin_if_due(newest_in(stats))
        if self._live:
            self._live.update(self._table(stats), refresh=True)
        elif time.monotonic() - self._began >= self._next_line:
            self._next_line = time.monotonic() - self._began + LINE_EVERY
            log.info("%s", ", ".join(f"{name} {value}" for name, value in self._summary(stats)))

    @property
    def learned(self) -> bool:
        """Whether the trainer has written statistics since this run began."""
        return self._stamp() != self._old

    def finish(self, interrupted: bool = False) -> None:
        """Evaluate the last model, merge the results into stats.json, and print the summary of the run.

        `interrupted`: somebody waits for the end, so no further evaluation is begun.
        """
        if self._evaluations.busy:
            log.info("waiting for the evaluation in progress")
        self._evaluations.finish("" if interrupted else newest_in(self._stats()))
        merge_evaluations(self._run.stats, self._evaluations.log)
        say(f"Trained {self._env_id} in {self._run.path}:")
        for name, value in self._summary(read(self._run.stats, TRAINER_NUMBERS), over=True):
            say(f"  {name:12} {value}")

    def _stats(self) -> dict[str, Any]:
        """What the trainer has written; empty before that, because the file is an earlier run's until then."""
        return read(self._run.stats, TRAINER_NUMBERS) if self.learned else {}

    def _stamp(self) -> int:
        """When the trainer's statistics were written last. If that can't be said at the moment, they count as old."""
        try:
            return self._run.stats.stat().st_mtime_ns
        except OSError:
            return self._old

    def _summary(self, stats: dict[str, Any], over: bool = False) -> list[tuple[str, str]]:
        """What is known so far: names and values. `over`: actors were stopped, so the speed is the last that they wrote."""
        seconds = int(time.monotonic() - self._began)
        since = f"{seconds // 60}:{seconds % 60:02d}{self._since}"
        actors = read(self._run.actor_stats, ACTOR_NUMBERS)
        rates = {} if over else rates_in(actors, time.time())
        lines = summary(since, stats, actors | rates, self._evaluations.latest)
        if stats and rates and not any(rates.values()):
            lines.append(("attention", f"nothing is played at the moment; the logs in {self._run.logs} may say why"))
        return lines

    def _table(self, stats: dict[str, Any]) -> Table:
        table = Table(title=Text(f"{self._env_id} in {self._run.path}"), show_header=False, title_justify="left")
        for name, value in self._summary(stats):
            table.add_row(name, value)
        return table


def newest_in(stats: dict[str, Any]) -> str:
    """The name of the newest model; empty if there is none."""
    return str(stats.get("last_checkpoint", ""))


def read(path: Path, numbers: list[str]) -> dict[str, Any]:
    """Statistics of a run; empty if there are none yet, if they are damaged, or if they can't be read at the moment."""
    try:
        content = read_json_object(path) or {}
    except OSError:
        return {}
    return content if has_numbers(content, numbers) else {}
