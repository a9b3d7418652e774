"""What a person sees of a run while it learns, and the evaluations on the way."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from trainer.core.errors import TrainerError
from trainer.core.json_values import has_numbers, number_fields, read_json_object
from trainer.evaluator import evaluate_step
from trainer.run.actor_statistics import ACTOR_STATS_FILE, sum_of_actors
from trainer.run.evaluations import EvaluationLog
from trainer.run.model_files import LATEST
from trainer.run.training_statistics import TrainingStats, merge_evaluations

log = logging.getLogger(__name__)

LINE_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal to draw on."""
EVALUATION_GAMES = 200
EVALUATE_EVERY = 5.0
"""Seconds between two evaluations, at least."""
TRAINER_NUMBERS = number_fields(TrainingStats)
ACTOR_NUMBERS = [name for name in sum_of_actors("", []) if name != "env_id"]


class Watch:
    """Looks at the statistics of the run in a folder, and evaluates its newest models."""

    def __init__(self, env_id: str, folder: Path, seed: int) -> None:
        """`seed` fixes the games against random play."""
        self._env_id = env_id
        self._folder = folder
        self._seed = seed
        self._evaluations = EvaluationLog(folder)
        self._began = time.monotonic()
        self._stats: dict[str, Any] = {}
        self._actors: dict[str, Any] = {}
        self._evaluation: dict[str, Any] | None = None
        self._evaluated = ""
        self._next_evaluation = 0.0
        self._next_line = LINE_EVERY
        self._live: Live | None = None
        self._old = self._stamp()

    def shown(self, console: Console) -> Live:
        """A display that is redrawn at each look, on a terminal; elsewhere there is a line now and then."""
        live = Live(console=console, auto_refresh=False)
        self._live = live if console.is_terminal else None
        return live

    def look(self) -> None:
        """Read the statistics, evaluate a new model, show how it goes."""
        if self.learned:  # what lies there before the trainer's first word is an earlier run's
            self._stats = self._read("stats.json", TRAINER_NUMBERS)
        self._actors = self._read(ACTOR_STATS_FILE, ACTOR_NUMBERS)
        newest = self._stats.get("last_checkpoint", "")
        if newest != self._evaluated and time.monotonic() >= self._next_evaluation:
            self._evaluate(newest)
        if self._live:
            self._live.update(self._table(), refresh=True)
        elif time.monotonic() - self._began >= self._next_line:
            self._next_line += LINE_EVERY
            log.info("%s", ", ".join(f"{name} {value}" for name, value in self._figures()))

    @property
    def learned(self) -> bool:
        """The trainer has written figures since this began."""
        return self._stamp() != self._old

    def finish(self) -> None:
        """Evaluate the last model, bring the result into stats.json, and print the end of the run."""
        self._stats = self._read("stats.json", TRAINER_NUMBERS)
        newest = self._stats.get("last_checkpoint", "")
        if self.learned and newest != self._evaluated:
            self._evaluate(newest)
        merge_evaluations(self._folder / "stats.json", self._evaluations)
        self._actors = self._read(ACTOR_STATS_FILE, ACTOR_NUMBERS)
        print(f"Trained {self._env_id} in {self._folder}:", flush=True)
        for name, value in self._figures():
            print(f"  {name:12} {value}", flush=True)

    def _read(self, name: str, numbers: list[str]) -> dict[str, Any]:
        """Statistics of the run; empty while there are none, or where they are damaged."""
        content = read_json_object(self._folder / name) or {}
        return content if has_numbers(content, numbers) else {}

    def _stamp(self) -> int:
        try:
            return (self._folder / "stats.json").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _evaluate(self, newest: str) -> None:
        self._evaluated = newest
        path = self._folder / "models" / LATEST
        try:
            self._evaluation = evaluate_step(path, self._env_id, EVALUATION_GAMES, self._seed)
            self._evaluations.append(self._evaluation)
        except (TrainerError, OSError) as error:  # a model that somebody broke, a full disk
            log.warning("the model of this moment isn't evaluated (%s); the run goes on", error)
        self._next_evaluation = time.monotonic() + EVALUATE_EVERY

    def _figures(self) -> list[tuple[str, str]]:
        """What there is to say by now: names and values."""
        stats, actors, evaluation = self._stats, self._actors, self._evaluation
        seconds = int(time.monotonic() - self._began)
        figures = [("time", f"{seconds // 60}:{seconds % 60:02d}")]
        if actors:
            figures.append(
                ("self-play", f"{actors['episodes_completed']:,} games, {actors['total_steps']:,} positions")
            )
            figures.append(
                (
                    "speed",
                    f"{actors['episodes_per_second']:.0f} games/s, {actors['positions_per_second']:,.0f} positions/s",
                )
            )
        if stats:
            figures.append(("training", f"step {stats['step']:,}, {stats['replay_buffer_size']:,} rows"))
            figures.append(
                (
                    "loss",
                    f"{stats['total_loss']:.3f} (policy {stats['policy_loss']:.3f}, value {stats['value_loss']:.3f})",
                )
            )
        else:
            figures.append(("training", "starting"))
        if evaluation:
            rates = ", ".join(f"{evaluation[f'{kind}_rate']:.1%} {kind}" for kind in ("win", "draw", "loss"))
            figures.append(("vs random", f"{rates} (step {evaluation['step']})"))
        return figures

    def _table(self) -> Table:
        table = Table(title=f"{self._env_id} in {self._folder}", show_header=False, title_justify="left")
        for name, value in self._figures():
            table.add_row(name, value)
        return table
