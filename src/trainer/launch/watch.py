"""The display of a run while it learns, and the evaluations of its models, which go to `evaluations.jsonl`."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Thread
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from trainer.core.errors import TrainerError
from trainer.core.json_values import has_numbers, number_fields, read_json_object
from trainer.evaluators.onnx_file import Prepare
from trainer.measure.anchor import Anchor, anchor_of
from trainer.measure.progress import evaluate_step
from trainer.run.actor_statistics import players_in, sum_of_actors
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.run.training_statistics import TrainingStats, merge_evaluations

log = logging.getLogger(__name__)

LINE_EVERY = 10.0
"""Seconds between lines of progress if the output is no terminal."""
EVALUATION_GAMES = 200
EVALUATE_EVERY = 5.0
"""Minimum seconds between evaluations."""
EVALUATION_SHARE = 0.05
"""Share of the time that evaluations may take: a large network on a CPU takes seconds for one."""
TRAINER_NUMBERS = number_fields(TrainingStats)
ACTOR_NUMBERS = [name for name in sum_of_actors("", []) if name != "env_id"]


class Watch:
    """Reads the statistics of a run, evaluates its newest models, and shows both."""

    def __init__(
        self, env_id: str, run: RunFolder, seed: int, resumed: bool = False, prepare: Prepare | None = None
    ) -> None:
        """`seed` fixes the games against random play; `prepare` makes evaluators of models, None: ONNX Runtime."""
        self._env_id = env_id
        self._run = run
        self._seed = seed
        self._prepare = prepare
        self._evaluations = EvaluationLog(run.path)
        self._anchor = None if resumed else Anchor(env_id, seed)
        self._began = time.monotonic()
        self._since = " since it was resumed" if resumed else ""
        self._stats: dict[str, Any] = {}
        self._actors: dict[str, Any] = {}
        self._evaluation: dict[str, Any] | None = None
        self._evaluated = ""
        self._evaluating: Thread | None = None
        self._failure: Exception | None = None
        self._next_evaluation = 0.0
        self._next_line = LINE_EVERY
        self._live: Live | None = None
        self._old = self._stamp()

    def shown(self, console: Console) -> Live:
        """A display that is redrawn at each look if the output is a terminal; otherwise a line is logged now and then."""
        live = Live(console=console, auto_refresh=False)
        self._live = live if console.is_terminal else None
        return live

    def look(self) -> None:
        """Read the statistics, begin to evaluate a new model, show the progress."""
        if self.learned:  # until the trainer writes, the file is an earlier run's
            self._stats = self._read(self._run.stats, TRAINER_NUMBERS)
        self._actors = self._read(self._run.actor_stats, ACTOR_NUMBERS)
        newest = self._stats.get("last_checkpoint", "")
        if self._failure:
            raise self._failure
        busy = self._evaluating is not None and self._evaluating.is_alive()
        if newest != self._evaluated and not busy and time.monotonic() >= self._next_evaluation:
            self._evaluating = Thread(target=self._evaluate_aside, args=(newest,), daemon=True)
            self._evaluating.start()
        if self._live:
            self._live.update(self._table(), refresh=True)
        elif time.monotonic() - self._began >= self._next_line:
            self._next_line = time.monotonic() - self._began + LINE_EVERY
            log.info("%s", ", ".join(f"{name} {value}" for name, value in self._summary()))

    @property
    def learned(self) -> bool:
        """Whether the trainer has written statistics since this run began."""
        return self._stamp() != self._old

    def finish(self, interrupted: bool = False) -> None:
        """Evaluate the last model, merge the results into stats.json, and print the summary of the run.

        `interrupted`: somebody waits for the end, so no further evaluation is begun.
        """
        if self._evaluating and self._evaluating.is_alive():
            log.info("waiting for the evaluation in progress")
            self._evaluating.join()
        if self._failure:
            raise self._failure
        self._stats = self._read(self._run.stats, TRAINER_NUMBERS)
        newest = self._stats.get("last_checkpoint", "")
        if self.learned and newest != self._evaluated and not interrupted:
            self.evaluate(newest)
        merge_evaluations(self._run.stats, self._evaluations)
        self._actors = self._read(self._run.actor_stats, ACTOR_NUMBERS)
        print(f"Trained {self._env_id} in {self._run.path}:", flush=True)
        for name, value in self._summary():
            print(f"  {name:12} {value}", flush=True)

    def _read(self, path: Path, numbers: list[str]) -> dict[str, Any]:
        """Statistics of the run; empty if there are none yet, or if they are damaged."""
        content = read_json_object(path) or {}
        return content if has_numbers(content, numbers) else {}

    def _stamp(self) -> int:
        try:
            return self._run.stats.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _evaluate_aside(self, newest: str) -> None:
        """What a thread does: the first evaluation of a game may take minutes, because its positions are visited."""
        try:
            self.evaluate(newest)
        except Exception as error:  # `look` raises it
            self._failure = error

    def evaluate(self, newest: str) -> None:
        """Evaluate the newest model, named by `newest`, against random play; a failure is only reported."""
        self._evaluated, began = newest, time.monotonic()
        try:
            if self._anchor is None:
                self._anchor = anchor_of(self._env_id, self._seed, self._evaluations, self._run.models, self._prepare)
            self._evaluation = evaluate_step(
                self._run.latest_model,
                self._env_id,
                EVALUATION_GAMES,
                self._seed,
                prepare=self._prepare,
                anchor=self._anchor,
            )
            self._evaluations.append(self._evaluation)
        except (TrainerError, OSError) as error:  # a model that somebody broke, a full disk
            log.warning("the newest model isn't evaluated (%s); the run goes on", error)
        now = time.monotonic()
        # The first one also compiles, and visits the positions of a small game: the next ones are shorter.
        pause = 0.0 if self._next_evaluation == 0 else (now - began) * (1 / EVALUATION_SHARE - 1)
        self._next_evaluation = now + max(EVALUATE_EVERY, pause)

    def _summary(self) -> list[tuple[str, str]]:
        """What is known so far: names and values."""
        stats, actors, evaluation = self._stats, self._actors, self._evaluation
        seconds = int(time.monotonic() - self._began)
        summary = [("time", f"{seconds // 60}:{seconds % 60:02d}{self._since}")]
        if actors:
            summary.append(
                ("self-play", f"{actors['episodes_completed']:,} games, {actors['total_steps']:,} positions")
            )
            summary.append(
                (
                    "speed",
                    f"{actors['episodes_per_second']:.0f} games/s, {actors['positions_per_second']:,.0f} positions/s",
                )
            )
            now = time.time()
            summary += [(player.name, player.in_words(now)) for player in players_in(actors, now)]
        if stats:
            summary.append(("training", f"step {stats['step']:,}, {stats['replay_buffer_size']:,} rows"))
            summary.append(
                (
                    "loss",
                    f"{stats['total_loss']:.3f} (policy {stats['policy_loss']:.3f}, value {stats['value_loss']:.3f})",
                )
            )
        else:
            summary.append(("training", "starting (a new game is compiled first, for up to a minute)"))
        if evaluation:
            rates = ", ".join(f"{evaluation[f'{kind}_rate']:.1%} {kind}" for kind in ("win", "draw", "loss"))
            summary.append(("vs random", f"{rates} (step {evaluation['step']})"))
            summary.append(("Elo", f"{evaluation['elo']:+.0f} against earlier models of the run, without search"))
        return summary

    def _table(self) -> Table:
        table = Table(title=Text(f"{self._env_id} in {self._run.path}"), show_header=False, title_justify="left")
        for name, value in self._summary():
            table.add_row(name, value)
        return table
