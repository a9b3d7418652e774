"""The loop on this machine: starts actor, trainer and page as processes, watches them, and stops them."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType

from rich.console import Console

from trainer.core.arguments import narrowed
from trainer.core.errors import ConfigError, ReplayError
from trainer.core.files import write_bytes
from trainer.core.listener import listen, url_of
from trainer.core.signals import INTERRUPTED, before_leaving, show_cursor
from trainer.games import find_game, settled
from trainer.gpu.choice import on_device, require_device
from trainer.launch.child import Child
from trainer.launch.watch import Watch
from trainer.pretrained import model_path
from trainer.replay import count_rows
from trainer.run.folder import RunFolder, set_aside
from trainer.run.kept_network import keep_network, read_network, require_exporter, require_kept
from trainer.run.kept_rules import keep_rules
from trainer.run.model_files import NETWORK, read_model
from trainer.run.owner import owned
from trainer.run.record import LOOP, require_same_run, write_record
from trainer.settings.actor import ActorConfig
from trainer.settings.cluster import ClusterConfig
from trainer.settings.loop import LoopConfig
from trainer.settings.trainer import TrainerConfig
from trainer.settings.validation import require_writable
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
    """Run until the trainer is done or `stop` is set; returns the exit status. Raises TrainerError."""
    config.check()
    require_device(config)
    require_ray(config)
    if config.network_file:
        require_exporter()
    config = settled(config)
    run = RunFolder(config.folder)
    require_writable(run.path, "--data-dir")
    if config.web:
        listen(config.web_host, config.web_port, "--web-host or --web-port").close()  # fails before anything is started
    with owned(run.models, "cartridge loop", "--data-dir"):
        return run_processes(config, run, stop)


def run_processes(config: LoopConfig, run: RunFolder, stop: Event) -> int:
    """Start the processes of the loop and watch them, as the owner of the run; returns the exit status."""
    if config.resume:
        require_same_run(run.record, LOOP, config)
    game = keep_rules(config.env_id, run.path, config.resume)
    config = with_own_files(config, run)
    write_record(run.record, LOOP, config)
    prepare = on_device(config.env_id, config)
    goes_on = config.resume and run.checkpoint.exists()  # without a checkpoint the trainer begins anew
    console = Console(stderr=True)
    with started(config, game, run) as (trainer, actor, web):
        if web:
            console.print(f"The page is at {url_of(config.web_host, config.web_port)} until the run ends", markup=False)
        watch = Watch(config.env_id, run, config.seed, goes_on, prepare)
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
        console.print("Interrupted and saved; the same command with --resume continues the run.")
    elif status == INTERRUPTED:
        trainer.raise_exit()
    elif not watch.learned:
        console.print(f"The trainer: {trainer.last_words}.", markup=False)
    watch.finish(interrupted=stop.is_set())
    return INTERRUPTED if stop.is_set() else int(status or 0)


@contextmanager
def started(config: LoopConfig, game: str, run: RunFolder) -> Iterator[tuple[Child, Child, Child | None]]:
    """The trainer, the actor and the page, if one is wanted. They are stopped in this order when the block ends.

    Those that have started are also stopped if the next one can't start.
    """
    with ExitStack() as stack:  # it stops first what was started last
        web = Child("web", "trainer.web", web_config(config), run.logs) if config.web else None
        if web:
            stack.callback(web.stop)
        actor = start_self_play(config, game, run)
        stack.callback(actor.stop)
        trainer = Child("trainer", "trainer", replace(trainer_config(config), env_id=game), run.logs)
        stack.callback(trainer.stop)
        yield trainer, actor, web


def start_self_play(config: LoopConfig, game: str, run: RunFolder) -> Child:
    """The process that plays: an actor, or with --ray one that plays on a cluster. `game` is the name of the run's game."""
    settings = replace(actor_config(config), env_id=game)
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
    if find_spec("ray") is None:
        raise ConfigError("--ray needs Ray, which is not installed; install it with: pip install 'ray>=2.52'")
    from trainer.cluster.on_ray.connection import require_cluster  # Ray takes seconds to import

    require_cluster(config.ray)


@contextmanager
def suspended_together(children: Sequence[Child]) -> Iterator[None]:
    """Let Ctrl-Z stop the children as well, which are not in the terminal's group, and `fg` continue them."""

    def suspend(number: int, frame: FrameType | None) -> None:
        for child in children:
            child.send(signal.SIGSTOP)
        show_cursor()
        os.kill(os.getpid(), signal.SIGSTOP)  # returns when this process is continued
        for child in children:
            child.send(signal.SIGCONT)

    if current_thread() is not main_thread():  # only that one may change how signals are handled
        yield
        return
    before = signal.signal(signal.SIGTSTP, suspend)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


def with_own_files(config: LoopConfig, run: RunFolder) -> LoopConfig:
    """The settings with the copies that a run keeps of a model and of a network's file, in place of the originals.

    Sets an earlier run in the folder aside unless it is resumed: only after the originals were read, because they may belong
    to it. Raises TrainerError if they can't be read, or if the run that is resumed began with another file.
    """
    file = config.network_file
    network = read_network(file) if file else None
    if not config.resume:
        config = replace(config, start_from=kept_start(config, run))
        begin_anew(run, run.shards(config.replay_shards), config.replay_window)
    elif file and network is not None and run.checkpoint.exists():
        require_kept(file, network, run.models)
    if network is None:
        return config
    keep_network(network, run.models)
    return replace(config, network_file=(run.models / NETWORK).absolute())


def kept_start(config: LoopConfig, run: RunFolder) -> Path | None:
    """A copy of the model that a new run starts from, because the original may be one of the run that is set aside.

    None if it starts from random weights. Raises ModelError if there is no such model.
    """
    content = None
    if config.start_from:
        content = read_model(model_path(config.start_from, config.env_id))
    run.start.unlink(missing_ok=True)  # that of an earlier run
    if content is None:
        return None
    write_bytes(run.start, content)
    return run.start


def begin_anew(run: RunFolder, databases: Sequence[Path], window: int | None) -> None:
    """Set an earlier run in the folder aside; its games in these databases stay, and training begins with them.

    The actor deletes all but about the newest `window` rows; None: it keeps all.
    """
    if old := set_aside(run.models, run.stats):
        log.info("set the earlier run of this folder aside in %s", old)
    total = 0
    for database in databases:
        rows = 0
        with suppress(ReplayError):  # the actor says what is wrong with it
            rows = count_rows(database)
        total += rows
        if rows:
            log.warning(
                "%s holds games that were played before (%s rows), and training begins with them; "
                "to learn from nothing, give another folder with --data-dir",
                database,
                f"{rows:,}",
            )
    if window is not None and total > window:
        log.warning(
            "of these %s rows only the newest %s are kept; --replay-window None keeps all", f"{total:,}", f"{window:,}"
        )
