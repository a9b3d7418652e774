"""The self-play process: threads that play, one writer, the newest model.

Each thread plays its own games in lockstep; compiled code, ONNX Runtime and SQLite release the GIL. The main thread takes
finished games from a queue, stores them, looks for a newer model, and keeps the statistics.
"""

from __future__ import annotations

import logging
import secrets
import time
from threading import Event

from trainer.actor.memory import actor_memory, within_memory
from trainer.actor.recorder import Recorder, named
from trainer.actor.selfplay import SelfPlay
from trainer.actor.sink import DatabaseSink, GameSink
from trainer.actor.threads import EpisodeNumbers, PlayerThreads
from trainer.core.errors import DeviceError
from trainer.core.files import make_writable_folder, remove_leftovers
from trainer.core.signals import nothing_to_finish
from trainer.evaluators.acceleration import Acceleration
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.interface import Evaluator, ModelSource
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.sparse import SparseAccelerator
from trainer.game_config import load_game_config
from trainer.games import game_of, with_env_id
from trainer.gpu.choice import accelerators, require_device
from trainer.run.actor_stats import ActorStats
from trainer.run.folder import RunFolder
from trainer.run.record import LOOP, recorded_game
from trainer.settings.actor import ActorConfig

log = logging.getLogger(__name__)

WRITE_SECONDS = 0.2
"""Time between transactions: long enough to share their cost, short enough that a trainer soon sees new rows."""
REPORT_SECONDS = 5.0


def act(config: ActorConfig, stop: Event) -> ActorStats:
    """Play until `stop` is set or `max_episodes` games are played. All finished games are stored before it returns."""
    config.check()
    require_device(config)
    config = fitted(with_env_id(config))
    run = RunFolder(config.data_dir)
    warn_of_run_of_another_game(config)
    make_writable_folder(run.path, "--data-dir")
    make_writable_folder(config.replay.parent, "--replay-db-path")
    remove_leftovers(run.path)
    played = load_game_config(config.env_id, config.replay)
    sink = DatabaseSink(config.replay, played, config.replay_window, run.actor_stats, config.actor_id)
    try:
        with nothing_to_finish():
            models = ModelFile(run.latest_model, self_play_loader(config.env_id, config))
        return play(config, models, sink, stop)
    finally:
        sink.close()


def warn_of_run_of_another_game(config: ActorConfig) -> None:
    """Log a warning if the database is that of a loop that learns another game: with these games in it, it can't resume.

    A trainer that was started alone reads only the rows of its game, so several games may share its database.
    """
    run = RunFolder(config.replay.parent)
    theirs = recorded_game(run.record, LOOP)
    if theirs and theirs != config.env_id and config.replay == run.replay:
        log.warning(
            "the loop in %s learns %s, and can't be resumed with games of %s in %s; --env-id %s, or another --data-dir, may "
            "be meant",
            run.path,
            theirs,
            config.env_id,
            config.replay,
            theirs,
        )


def self_play_loader(env_id: str, config: ActorConfig) -> ModelLoader:
    """What makes the evaluators of an actor: on the device of its settings, else by the network's active inputs."""
    on_device = accelerators(env_id, config, config.games)
    return ModelLoader(env_id, Acceleration(env_id, *on_device, SparseAccelerator(env_id)))


def fitted(config: ActorConfig) -> ActorConfig:
    """The settings with as many games and cached evaluations as fit into `memory_gib`. Says so if that is fewer."""
    game = game_of(config.env_id)
    fits = within_memory(game, config)
    if fits != config:
        memory = actor_memory(game, fits)
        log.info(
            "each thread plays %d games and caches %d evaluations, so that they stay within --memory-gib %g%s",
            fits.games,
            fits.cache,
            fits.memory_gib,
            f"; most of that is room for max_plies={game.max_plies} of each game"
            if 2 * memory.games > memory.of_games + memory.cache
            else "",
        )
    return fits


def play(config: ActorConfig, models: ModelSource, sink: GameSink, stop: Event) -> ActorStats:
    """Play with the newest of `models` and hand the games to `sink`, until `stop` is set or `max_episodes` are played.

    `config` is `fitted`.
    """
    first = sink.first_free_number()
    last = None if config.max_episodes < 0 else first + config.max_episodes
    recorder = Recorder(config.env_id, config.actor_id, sink, stop)
    seed = secrets.randbits(63) if config.seed is None else config.seed
    numbers = EpisodeNumbers(first, last)
    with nothing_to_finish():  # a game that is compiled for the first time takes long
        players = [
            SelfPlay(config.env_id, config.games, numbers, seed, config.actor_id, config) for _ in range(config.threads)
        ]
    size = game_of(config.env_id).obs_size
    threads = PlayerThreads(players, models, size, config.episode_timeout_secs, config.wait_for_model)
    if config.wait_for_model and not models.current and not stop.is_set():
        log.info("waiting for the first model, which the trainer publishes")
    while config.wait_for_model and not models.current and not stop.wait(0.1):
        models.poll()
    if config.wait_for_model and not models.current:
        return recorder.stats  # stopped before there was one
    report_model(models.current)
    next_report = time.monotonic() + REPORT_SECONDS
    failure: DeviceError | None = None
    with threads:
        while threads.running and not stop.is_set():
            recorder.store(threads.collect(WRITE_SECONDS), threads)
            try:
                changed = models.poll()
            except DeviceError as error:  # raised once the finished games are stored
                failure = error
                break
            if changed:
                report_model(models.current)
            if time.monotonic() >= next_report:
                recorder.report()
                next_report = time.monotonic() + REPORT_SECONDS
    recorder.store(threads.collect(0), threads)
    recorder.report()
    if failure:
        raise failure
    threads.raise_failure()
    return recorder.stats


def report_model(model: Evaluator | None) -> None:
    """Log what plays from now on."""
    if model is None:
        log.info("there is no model yet: playing at random")
    else:
        log.info("playing with %s", named(model))
