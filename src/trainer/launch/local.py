"""The loop on this machine: starts actor, trainer and page as processes, watches them, and stops them."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from threading import Event
from typing import TextIO, cast

from rich.console import Console

from trainer.core.arguments import narrowed
from trainer.core.files import make_writable_folder
from trainer.core.listener import listen, url_of
from trainer.core.output import LastingStream
from trainer.core.packages import require_onnxscript, require_package, require_tensorboard
from trainer.core.signals import INTERRUPTED, before_leaving, nothing_to_finish, show_cursor, suspendable
from trainer.games import find_game
from trainer.gpu.choice import loader_for, require_device
from trainer.launch.child import Child
from trainer.launch.preparation import prepare_folder
from trainer.launch.watch import Watch
from trainer.run.folder import RunFolder
from trainer.run.owner import owned
from trainer.run.record import LOOP, require_same_run, write_record
from trainer.settings.actor import ActorConfig
from trainer.settings.cluster import ClusterConfig
from trainer.settings.loop import LoopConfig
from trainer.settings.trainer import TrainerConfig
from trainer.settings.web import WebConfig

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Time between two looks at the run."""


def trainer_config(config: LoopConfig) -> TrainerConfig:
    """The settings of the loop's trainer."""
    run = RunFolder(config.folder)
    db = run.shards(config.replay_shards)
    return narrowed(config, TrainerConfig, db=db, model_dir=run.models, stats=run.stats, publish_first=True)


def actor_config(config: LoopConfig) -> ActorConfig:
    """The settings of the loop's actor."""
    run = RunFolder(config.folder)
    return narrowed(config, ActorConfig, replay_db_path=run.replay, data_dir=run.path, wait_for_model=True)


def web_config(config: LoopConfig) -> WebConfig:
    """The settings of the loop's page."""
    game = find_game(config.env_id)
    games = () if game.in_package else (game.name,)
    return WebConfig(
        data_dir=config.folder, games=games, host=config.web_host, port=config.web_port, log_level=config.log_level
    )


def run_loop(config: LoopConfig, stop: Event) -> int:
    """Run until the trainer is done or `stop` is set; returns the exit status. `config` has the env_id of its game, as
    `Defaults.replaced` gives it. Raises TrainerError."""
    run = RunFolder(config.folder)
    with nothing_to_finish():
        config.check()
        require_device(config)
        require_ray(config)
        if config.network_file:
            require_onnxscript()
        if config.tensorboard:
            require_tensorboard()
        make_writable_folder(run.path, "--data-dir")
        if config.web:
            listen(config.web_host, config.web_port, "--web-host or --web-port").close()
    with owned(run.models, "cartridge loop", "--data-dir"), owned(run.stats, "cartridge loop", "--data-dir"):
        return run_processes(config, run, stop)


def run_processes(config: LoopConfig, run: RunFolder, stop: Event) -> int:
    """Start the processes of the loop and watch them, as the owner of the run; returns the exit status."""
    if config.resume:
        require_same_run(run.record, LOOP, config)
    config = prepare_folder(config, run)
    rules = find_game(config.env_id).name  # that of the run's copy, unless it is a game of this package
    goes_on = config.resume and run.checkpoint.exists()  # without a checkpoint the trainer begins anew
    write_record(run.record, LOOP, config, resumed=goes_on)
    loader = loader_for(config.env_id, config)
    console = Console(file=cast("TextIO", LastingStream(sys.stderr)) if sys.stderr else None, stderr=True)
    with started(config, rules, run) as (trainer, actor, web):
        if web:
            console.print(f"The page is at {url_of(config.web_host, config.web_port)} until the run ends", markup=False)
        watch = Watch(run, loader, config.seed, goes_on)
        together = suspended_together([trainer, actor, *([web] if web else [])])
        with before_leaving(show_cursor), together, watch.shown(console):
            while trainer.status is None and not stop.wait(LOOK_SECONDS):
                actor.raise_exit()
                if web and web.failure:
                    log.error("%s; the run goes on without its page", web.failure)
                    web = None
                watch.look()
    status = trainer.status
    trainer.raise_failure()
    if status == 0 and actor.killed:  # nothing is lost
        log.warning("%s", actor.failure)
    else:
        actor.raise_failure()
    if stop.is_set():
        saved = run.checkpoint.exists()
        console.print(
            "Interrupted and saved; the same command with --resume continues the run."
            if saved
            else "Interrupted before the first model; start again with the same command."
        )
    elif status == INTERRUPTED:
        trainer.raise_exit()
    elif not watch.learned:
        console.print(f"The trainer: {trainer.last_words}.", markup=False)
    watch.finish(interrupted=stop.is_set())
    return INTERRUPTED if stop.is_set() else int(status or 0)


@contextmanager
def started(config: LoopConfig, rules: str, run: RunFolder) -> Iterator[tuple[Child, Child, Child | None]]:
    """The trainer, the actor and the page, if one is wanted. They are stopped in this order when the block ends.

    Those that have started are also stopped if the next one can't start.
    """
    with ExitStack() as stack:  # it stops first what was started last
        web = Child("web", "trainer.web", web_config(config), run.logs) if config.web else None
        if web:
            stack.callback(web.stop)
        actor = start_self_play(config, rules, run)
        stack.callback(actor.stop)
        trainer = Child("trainer", "trainer", replace(trainer_config(config), env_id=rules), run.logs)
        stack.callback(trainer.stop)
        yield trainer, actor, web


def start_self_play(config: LoopConfig, rules: str, run: RunFolder) -> Child:
    """The process that plays: an actor, or with --ray one that plays on a cluster.

    `rules`: the name of the game by the rules that the run keeps.
    """
    settings = replace(actor_config(config), env_id=rules)
    if config.ray is None:
        return Child("actor", "trainer.actor", settings, run.logs)
    cluster = narrowed(
        settings, ClusterConfig, ray=config.ray, players=config.players, replay_shards=config.replay_shards
    )
    return Child("cluster", "trainer.cluster", cluster, run.logs)


def require_ray(config: LoopConfig) -> None:
    """Raise ConfigError if a cluster is wanted, and Ray is not installed or there is none at the address."""
    if config.ray is None:
        return
    require_package("ray", "ray", "--ray needs Ray")
    from trainer.cluster.on_ray.connection import require_cluster  # Ray takes seconds to import

    require_cluster(config.ray)


def suspended_together(children: Sequence[Child]) -> AbstractContextManager[None]:
    """Let Ctrl-Z stop the children as well, which are not in the terminal's group, and `fg` continue them."""

    def suspend() -> None:
        for child in children:
            child.send(signal.SIGSTOP)
        show_cursor()

    def resume() -> None:
        for child in children:
            child.send(signal.SIGCONT)

    return suspendable(suspend, resume)
