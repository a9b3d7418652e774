"""Actor, trainer and evaluation in one command: `python -m trainer.loop --env-id tictactoe`.

The actor and the trainer are processes of their own, started here and joined by files only, so each can be killed and
looked at alone. This process watches their statistics, evaluates the newest model every few seconds, and shows how it goes.
"""

from __future__ import annotations

from trainer.core.signals import leave_on_signals

if __name__ == "__main__":
    leave_on_signals()  # what follows takes a second to import

import logging
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from rich.console import Console

from trainer.core.command import run_command
from trainer.core.errors import ConfigError
from trainer.core.signals import INTERRUPTED, stop_on_signals
from trainer.games import game_of
from trainer.launch.child import Child
from trainer.launch.watch import Watch
from trainer.settings.recipes import Recipe, recipe_of
from trainer.settings.validation import LogLevel, require, require_seed, require_writable

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
NO_END = 10**9


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
    threads: int = os.cpu_count() or 1
    """Threads that play."""
    simulations: int | None = None
    """Simulations before each move of self-play; None: the game's default."""
    int8: bool = False
    """Let self-play evaluate in 8-bit integers: to try on a processor with 8-bit dot products (VNNI); on others it is
    slower."""
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
        require_seed(self.seed)
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
        *(("--int8",) if config.int8 else ()),
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
    trainer = Child("trainer", trainer_arguments(config), folder)
    actor = Child("actor", actor_arguments(config), folder)
    web = Child("web", web_arguments(config), folder) if config.web else None
    if web:
        console.print(f"The page is at http://127.0.0.1:{config.web_port}/ until the run ends")
    watch = Watch(config.env_id, folder, config.seed)
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
    if stop.is_set():
        console.print("Interrupted, and saved; the same command with --resume goes on.")
    elif status == INTERRUPTED:
        trainer.raise_end()
    elif not watch.learned:
        console.print(f"The trainer: {trainer.last_words}.")
    watch.finish()
    return INTERRUPTED if stop.is_set() else int(status or 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command, with the process's arguments unless told otherwise."""
    prog = "python -m trainer.loop"
    return run_command(LoopConfig, lambda config: run_loop(config, stop_on_signals()), prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
