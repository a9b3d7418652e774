"""The process that runs self-play on a Ray cluster. If it dies, Ray ends its hubs and its players."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import ray
from ray.exceptions import RayError

from trainer.cluster.on_ray.connection import nodes, require_room, this_node
from trainer.cluster.on_ray.fleet import Fleet, need_no_nodes
from trainer.cluster.on_ray.head import leave_with_head
from trainer.cluster.on_ray.hub import answer_of, is_ready, start_hub
from trainer.core.errors import ReplayUnavailableError, WaitTimeoutError
from trainer.core.files import make_writable_folder
from trainer.core.log import Trouble
from trainer.replay.database.connection import BUSY_SECONDS
from trainer.run.folder import RunFolder
from trainer.settings.actor import ActorConfig
from trainer.settings.cluster import ClusterConfig

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Time between two looks at the cluster."""
HUB_LOOK_SECONDS = 0.1
"""Time between two looks whether a hub has started."""
HUB_SECONDS = 120.0
"""How long a hub may take to start and to open its database."""
STOP_SECONDS = BUSY_SECONDS
"""How long players may take to store their last games. The loop gives this process longer (`launch.child.STOP_SECONDS`)."""
CLOSE_SECONDS = 5.0
"""How long the hubs may then take to close their databases."""


def drive(config: ClusterConfig, address: str, stop: Event) -> None:
    """Play on the cluster that this process is connected to until `stop` is set. All finished games are stored then."""
    make_writable_folder(config.data_dir, "--data-dir")
    players = None if config.players == "all" else config.players
    require_room(address, asks_for_nodes=players is not None)
    over = Event()
    leave_with_head(ray.get_runtime_context().gcs_address, over)
    if players is not None:
        need_no_nodes()  # an earlier driver that was killed didn't take back what it had asked for
    settings = settings_of_hubs(config)
    hubs = [start_hub(one, this_node()) for one in settings]
    for hub, one in zip(hubs, settings, strict=True):
        await_hub(hub, one.replay, stop)
    fleet = Fleet(hubs, config.actor_id, players, config.log_level, gpu=config.device != "cpu")
    published = [hub.publish.remote() for hub in hubs]
    troubles = [Trouble(log) for _ in hubs]
    try:
        while not stop.wait(LOOK_SECONDS):
            fleet.look(nodes())
            for at, hub in enumerate(hubs):
                if is_ready(published[at]):
                    note_answer(published[at], settings[at].replay, troubles[at])
                    published[at] = hub.publish.remote()
    finally:
        over.set()
        fleet.stop(STOP_SECONDS)
        closed = [hub.close.remote() for hub in hubs]
        with suppress(RayError):
            ray.wait(closed, num_returns=len(closed), timeout=CLOSE_SECONDS)
        for hub in hubs:
            ray.kill(hub)


def await_hub(hub: Any, database: Path, stop: Event) -> None:
    """Return once a hub has opened its database, or as soon as `stop` is set.

    Raises what is wrong with the database, and WaitTimeoutError if the hub doesn't answer.
    """
    opened = hub.publish.remote()
    end = time.monotonic() + HUB_SECONDS
    while not is_ready(opened):
        if stop.wait(HUB_LOOK_SECONDS):
            return
        if time.monotonic() > end:
            raise WaitTimeoutError(
                f"the hub, which is to store games in {database}, has not answered within {HUB_SECONDS:g} s; see whether "
                f"that disk answers, and what Ray's own logs say (/tmp/ray/session_latest/logs), then start again"
            )
    answer_of(opened)


def note_answer(published: Any, database: Path, trouble: Trouble) -> None:
    """Log that the hub of a database has ended, or is back, as the reply to `publish` tells."""
    try:
        answer_of(published)
    except ConnectionError as error:
        trouble.begin(f"the hub that stores games in {database} has ended ({error}); Ray starts it again")
    except ReplayUnavailableError:  # a disk may be full; the players say so
        pass
    else:
        trouble.end(f"the hub that stores games in {database} is back")


def settings_of_hubs(config: ClusterConfig) -> list[ActorConfig]:
    """The settings of each hub: its database, and its part of the window.

    Paths are absolute: Ray starts a hub in the folder where `ray start` ran.
    """
    config = replace(
        config,
        data_dir=config.data_dir.absolute(),
        replay_db_path=config.replay.absolute(),
        network_file=config.network_file and config.network_file.absolute(),
    )
    if config.replay_shards is None:
        return [config]
    databases = RunFolder(config.replay.parent).shards(config.replay_shards)
    window = config.replay_window and -(-config.replay_window // len(databases))
    return [replace(config, replay_db_path=path, replay_window=window) for path in databases]
