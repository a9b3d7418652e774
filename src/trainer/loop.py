"""Actor, trainer and evaluation in one command: `python -m trainer.loop --env-id tictactoe`.

The actor and the trainer are processes of their own, started here and joined by files only, so each can be killed and
looked at alone. This process watches their statistics, plays each new model against random play, and shows how it goes.
"""

from __future__ import annotations

from trainer.command import leave_on_signals

if __name__ == "__main__":
    leave_on_signals()  # what follows takes a second to import

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from trainer.actor_stats import ACTOR_STATS_FILE, sum_of_actors
from trainer.command import (
    INTERRUPTED,
    PARENT_VARIABLE,
    LogLevel,
    require,
    require_writable,
    run_command,
    stop_on_signals,
)
from trainer.errors import ConfigError, TrainerError
from trainer.evaluations import EvaluationLog
from trainer.evaluator import evaluate_step
from trainer.files import has_numbers, number_fields, read_json_object
from trainer.games import game_of
from trainer.inference import LATEST
from trainer.recipes import Recipe, recipe_of
from trainer.stats import TrainingStats, merge_evaluations

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
LINE_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal to draw on."""
EVALUATION_GAMES = 200
EVALUATE_EVERY = 5.0
"""Seconds between two evaluations, at least."""
PATIENCE = 30.0
"""Seconds that a process gets to end by itself."""
NO_END = 10**9
TRAINER_NUMBERS = number_fields(TrainingStats)
ACTOR_NUMBERS = [name for name in sum_of_actors("", []) if name != "env_id"]


@dataclass(frozen=True)
class LoopConfig:
    """Learn a game from nothing: self-play, training and evaluation together, until the steps or minutes are done."""

    env_id: str = "tictactoe"
    """The game to learn."""
    data_dir: Path | None = None
    """Folder of the run; None: data/<env_id>."""
    steps: int | None = None
    """Training steps, those before a --resume included; None: as many as the minutes allow."""
    minutes: float | None = None
    """Minutes to train, those before a --resume included; None: the game's default (tictactoe 1, connect4 60, othello 120),
    or no limit with --steps."""
    threads: int = max(1, (os.cpu_count() or 1))
    """Threads that play."""
    simulations: int | None = None
    """Simulations before each move of self-play; None: the game's default."""
    replay_window: int = 1_000_000
    """Positions to keep in the replay database."""
    max_checkpoints: int = 32
    """Models to keep, spread evenly over the run (python -m trainer.ladder rates them)."""
    resume: bool = False
    """Go on with the run in the folder. Without it the run's models and figures are set aside and training begins anew, at
    first on the games that lie there."""
    web: bool = False
    """Serve the page alongside: watch the run and play its newest model (python -m trainer.web)."""
    web_port: int = 8080
    """Port of the page."""
    tensorboard: Path | None = None
    """Also write the losses for TensorBoard into this folder; None: don't."""
    seed: int = 0
    """Fixes the first weights, the games for a given model, and the rows that are drawn."""
    log_level: LogLevel = "INFO"
    """What to report on standard error, and in the logs of the processes."""

    def check(self) -> None:
        """Raise TrainerError for a value that can't work."""
        game_of(self.env_id)  # raises where the rules are not known
        require(self.steps is None or self.steps >= 1, f"--steps is {self.steps}; at least 1 is needed")
        require(self.minutes is None or self.minutes > 0, f"--minutes is {self.minutes}; a number above 0 is needed")
        require(self.threads >= 1, f"--threads is {self.threads}; at least 1 is needed")
        require(
            self.simulations is None or self.simulations >= 1,
            f"--simulations is {self.simulations}; at least 1 is needed",
        )
        for name in ("replay_window", "max_checkpoints"):
            value = getattr(self, name)
            require(value >= 1, f"--{name.replace('_', '-')} is {value}; at least 1 is needed")
        port = self.web_port
        require(0 < port <= 65535, f"--web-port is {port}; give a number from 1 to 65535")
        require(self.seed >= 0, f"--seed is {self.seed}; 0 or more is needed")
        if self.web:
            require_free(self.web_port)

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.data_dir or Path("data") / self.env_id

    @property
    def recipe(self) -> Recipe:
        """The settings that depend on the game."""
        return recipe_of(self.env_id)


def require_free(port: int) -> None:
    """Raise ConfigError where another server has the page's port."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        reason = error.strerror
        raise ConfigError(
            f"the page can't be served at port {port} ({reason}); choose another with --web-port"
        ) from None


def trainer_arguments(config: LoopConfig) -> list[str]:
    """The command line of the trainer."""
    recipe, folder = config.recipe, config.folder
    minutes = config.minutes or (None if config.steps else recipe.minutes)
    return [
        *(sys.executable, "-m", "trainer", "--env-id", config.env_id, "--publish-first"),
        *("--db", f"{folder}/replay.db", "--model-dir", f"{folder}/models", "--stats", f"{folder}/stats.json"),
        *("--steps", f"{config.steps or NO_END}", *(("--minutes", f"{minutes}") if minutes else ())),
        *("--batch-size", f"{recipe.batch_size}", "--lr", f"{recipe.lr}", "--passes", f"{recipe.passes}"),
        *("--network", recipe.network, *(("--width", f"{recipe.width}") if recipe.width else ())),
        *("--value-head", recipe.value_head, "--q-weight", f"{recipe.q_weight}", "--average", f"{recipe.average}"),
        *(("--window", f"{recipe.window}") if recipe.window else ()),
        *(("--merge-repeats",) if recipe.merge_repeats else ()),
        *("--checkpoint-interval", f"{recipe.checkpoint_interval}", "--log-interval", "100"),
        *("--max-checkpoints", f"{config.max_checkpoints}", "--spread-checkpoints"),
        *(("--resume",) if config.resume else ()),
        *(("--tensorboard", f"{config.tensorboard}") if config.tensorboard else ()),
        *("--wait-interval", "0.2", "--seed", f"{config.seed}", "--log-level", config.log_level),
    ]


def actor_arguments(config: LoopConfig) -> list[str]:
    """The command line of the actor."""
    recipe, folder = config.recipe, config.folder
    return [
        *(sys.executable, "-m", "trainer.actor", "--env-id", config.env_id, "--wait-for-model"),
        *("--replay-db-path", f"{folder}/replay.db", "--data-dir", f"{folder}"),
        *("--simulations", f"{config.simulations or recipe.simulations}", "--threads", f"{config.threads}"),
        *(("--first-simulations", f"{recipe.first_simulations}") if rises(config) else ()),
        *("--full-share", f"{recipe.full_share}", "--fast-simulations", f"{recipe.fast_simulations}"),
        *(("--gumbel",) if recipe.gumbel else ()),
        *("--random-openings", f"{recipe.random_openings}"),
        *("--replay-window", f"{config.replay_window}"),
        *("--seed", f"{config.seed}", "--log-level", config.log_level),
    ]


def rises(config: LoopConfig) -> bool:
    """Whether the simulations rise over the run; a number that was asked for stays what it is."""
    return config.simulations is None and config.recipe.first_simulations is not None


def web_arguments(config: LoopConfig) -> list[str]:
    """The command line of the page's server."""
    return [
        *(sys.executable, "-m", "trainer.web", "--data-dir", f"{config.folder}"),
        *("--port", f"{config.web_port}", "--log-level", config.log_level),
    ]


class Process:
    """A process of the loop; it writes to its own log and ends when this one does."""

    def __init__(self, name: str, arguments: list[str], folder: Path) -> None:
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as output:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the others in order
                env=os.environ | {PARENT_VARIABLE: str(os.getpid())},
            )

    @property
    def status(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.poll()

    def stop(self) -> int:
        """Ask it to end and wait until it has."""
        if self.status is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    @property
    def failure(self) -> str | None:
        """Its last words, if it failed."""
        if self.status in (None, 0, INTERRUPTED):
            return None
        return f"the {self.name} failed ({self.last_words.removeprefix('error: ')}); see {self.log}"

    @property
    def last_words(self) -> str:
        """The last line of its log, without the time."""
        lines = self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        return lines[-1].rpartition(" INFO ")[2]

    def raise_failure(self) -> None:
        """Raise TrainerError with its last words, if it failed."""
        if self.failure:
            raise TrainerError(self.failure)

    def raise_end(self) -> None:
        """Raise TrainerError if it is at work no more, though nobody here has ended it."""
        self.raise_failure()
        if self.status is not None:
            raise TrainerError(f"the {self.name} was ended from outside; start again with --resume to go on")


def run_loop(config: LoopConfig, stop: Event) -> int:
    """Run until the trainer is done or `stop` is set; returns the exit status."""
    config.check()
    folder = config.folder
    require_writable(folder, "--data-dir")
    console = Console(stderr=True)
    if (folder / "replay.db").exists() and not config.resume:
        log.warning(
            "%s holds games that were played before, and training begins with them; "
            "to learn from nothing, give another folder with --data-dir",
            folder / "replay.db",
        )
    trainer = Process("trainer", trainer_arguments(config), folder)
    actor = Process("actor", actor_arguments(config), folder)
    web = Process("web", web_arguments(config), folder) if config.web else None
    if web:
        console.print(f"The page is at http://127.0.0.1:{config.web_port}/ until the run ends")
    watch = Watch(config)
    try:
        with watch.shown(console):
            while trainer.status is None and not stop.wait(LOOK_EVERY):
                actor.raise_end()
                if web and web.failure:
                    log.error("%s; the run goes on without its page", web.failure)
                    web = None
                watch.look()
    finally:
        status = trainer.stop() if trainer.status is None else trainer.status
        actor.stop()
        if web:
            web.stop()
    trainer.raise_failure()
    actor.raise_failure()
    if stop.is_set() or not watch.learned:
        console.print(f"The trainer: {trainer.last_words}.")
    watch.finish()
    return INTERRUPTED if stop.is_set() else int(status or 0)


class Watch:
    """What a person sees of the run, and the evaluations on the way."""

    def __init__(self, config: LoopConfig) -> None:
        self._config = config
        self._folder = config.folder
        self._evaluations = EvaluationLog(config.folder)
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
        if newest and newest != self._evaluated:
            self._evaluate(newest)
        merge_evaluations(self._folder / "stats.json", self._evaluations)
        self._actors = self._read(ACTOR_STATS_FILE, ACTOR_NUMBERS)
        print(f"Trained {self._config.env_id} in {self._folder}:", flush=True)
        for name, value in self._figures():
            print(f"  {name:12} {value}", flush=True)

    def _read(self, name: str, numbers: list[str]) -> dict[str, Any]:
        """Statistics of the run; empty while there are none, or where they are damaged."""
        content = read_json_object(self._folder / name) or {}
        return content if has_numbers(content, numbers) else {}

    def _stamp(self) -> int:
        path = self._folder / "stats.json"
        return path.stat().st_mtime_ns if path.exists() else 0

    def _evaluate(self, newest: str) -> None:
        self._evaluated = newest
        path = self._folder / "models" / LATEST
        try:
            self._evaluation = evaluate_step(path, self._config.env_id, EVALUATION_GAMES, self._config.seed)
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
        table = Table(title=f"{self._config.env_id} in {self._folder}", show_header=False, title_justify="left")
        for name, value in self._figures():
            table.add_row(name, value)
        return table


def main(arguments: Sequence[str] | None = None) -> int:
    """The command, with the process's arguments unless told otherwise."""
    prog = "python -m trainer.loop"
    return run_command(LoopConfig, lambda config: run_loop(config, stop_on_signals()), prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
