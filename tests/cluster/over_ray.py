"""A hub called over Ray, in a cluster of this process alone: `python over_ray.py FOLDER DISK GAME`.

FOLDER is short, for Ray's sockets. DISK is a folder on a small disk. GAME is the file of a game. Ends with 0 if all holds.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import ray
from conftest import fill
from torture.small_cluster import SETTINGS
from unreliable import random_games

from trainer.cluster.on_ray.connection import nodes, this_node
from trainer.cluster.on_ray.hub import RayTransport, start_hub
from trainer.cluster.shipment import pack
from trainer.cluster.versions import RefusedError, our_versions
from trainer.core.errors import ReplayUnavailableError
from trainer.games import find_game, game_of
from trainer.settings.actor import ActorConfig

ROUNDS = 2_500
"""Shipments that are sent at most, more than the disk has room for."""


def hub_on(disk: Path, env_id: str, name: str) -> RayTransport:
    """Calls to a new hub whose files lie on the disk."""
    config = ActorConfig(env_id=env_id, data_dir=disk, replay_db_path=disk / f"{name}.db", log_level="ERROR")
    return RayTransport(start_hub(config, this_node()))


def refuse_another_source(transport: RayTransport) -> None:
    """The reason arrives as the hub gave it."""
    theirs = our_versions() | {"source": "0123456789ab", "host": "elsewhere"}
    with pytest.raises(
        RefusedError, match=r"^the player on elsewhere has trainer .* \(source 0123456789ab\) and Python"
    ):
        transport.join("player-1", theirs)


def send_over_a_full_disk(transport: RayTransport, disk: Path) -> None:
    """A shipment that can't be stored is refused for now, and stored once when there is room again."""
    game, games = game_of("tictactoe"), random_games("tictactoe", 64)

    def send(number: int) -> int:
        numbered = [replace(one, number=one.number + 64 * number) for one in games]
        transport.store("player-a", number, pack(numbered, game), None)
        return number + 1

    def send_until_it_fails() -> None:
        nonlocal number
        for _ in range(ROUNDS):
            number = send(number)

    number = 1
    filler = fill(disk)
    with pytest.raises(ReplayUnavailableError, match="full"):
        send_until_it_fails()
    filler.unlink()
    for _ in range(2):
        send(number)


def main(folder: str, disk: Path, game: str) -> None:
    """All of it."""
    options = {"num_cpus": 1, "include_dashboard": False, "_node_ip_address": "127.0.0.1", "_temp_dir": folder}
    ray.init(object_store_memory=SETTINGS["object_store_memory"], log_to_driver=False, **options)
    (node,) = nodes()
    assert (node.cpus, node.object_store) == (1, SETTINGS["object_store_memory"]), node
    transport = hub_on(disk, "tictactoe", "replay")
    refuse_another_source(transport)
    send_over_a_full_disk(transport, disk)
    rules = hub_on(disk, game, "own").join("player-1", our_versions()).rules
    assert rules.files, "the game's files aren't sent"
    place = Path(folder, "rules")
    place.mkdir()
    assert rules.open(place).stamp == find_game(game).stamp
    ray.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
