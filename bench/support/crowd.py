"""Simulated players: each sends recorded games to a hub at a fixed rate, with one shipment in flight, as a player does."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import ray

from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.actor.threads import QUEUE_GAMES
from trainer.cluster.on_ray.hub import STORING
from trainer.cluster.shipment import pack
from trainer.games import game_of

SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)
"""Games of a shipment; 256 games of Connect 4 are about as many plies as a shipment may have."""
HEADER_BYTES = 24
"""Bytes of a shipment before the games' numbers (`trainer/cluster/shipment.py`)."""
PAUSE_SECONDS = 0.2
"""Time between two shipments of a player that doesn't lag behind."""
LOOK_SECONDS = 0.005
WARM_UP = 0.25
"""Share of the time that isn't counted."""


@dataclass
class Player:
    """One of them."""

    name: str
    hub: Any
    began: float
    """When it would have begun if it had never paused."""
    number: int = 1
    """Of its next shipment."""
    games: int = 0
    """That it has sent."""
    sent: int = 0
    """Rows that it has sent. Games of small shipments are longer than the mean, so the pace goes by rows."""
    rows: int = 0
    """Of the shipment that is on its way."""
    since: float = 0.0
    """When that was sent."""


@dataclass
class Crowd:
    """What players achieved, after a warm-up."""

    offered: float
    """Rows per second that all of them play if nothing holds them up."""
    stored: float = 0.0
    """Rows per second that were acknowledged."""
    answers: list[float] = field(default_factory=list)
    """Seconds from each shipment to its acknowledgement."""
    waiting: float = 0.0
    """Share of the time, 0 to 1, in which a player waited for an answer, on average."""


class Recorded:
    """Shipments of recorded games, which get new numbers each time."""

    def __init__(self, env_id: str) -> None:
        game = game_of(env_id)
        games = recorded_games(env_id, SIZES[0])
        self._packed = {size: (bytearray(pack(games[:size], game)), rows_of(games[:size])) for size in SIZES}
        self.rows_per_game = rows_of(games) / len(games)

    def take(self, most: int, first: int) -> tuple[int, int, bytes]:
        """A shipment of at most `most` games, numbered from `first`; returns its games, its rows and its content."""
        size = next(size for size in SIZES if size <= most)
        content, rows = self._packed[size]
        content[HEADER_BYTES : HEADER_BYTES + 8 * size] = np.arange(first, first + size, dtype="<i8").tobytes()
        return size, rows, bytes(content)


def recorded_games(env_id: str, number: int) -> list[PlayedGame]:
    """Games of random moves."""
    play = SelfPlay(env_id, 64, iter(range(number)), 1, "bench")
    games: list[PlayedGame] = []
    while not play.idle:
        games += play.play_randomly()
    return games


def rows_of(games: Sequence[PlayedGame]) -> int:
    """The rows that games take in a database."""
    return sum(len(game.actions) for game in games)


def play(hubs: Sequence[Any], players: int, rows_per_second: float, seconds: float, recorded: Recorded) -> Crowd:
    """Let so many players send for some seconds, each at most `rows_per_second`, to the hubs in turn.

    On a busy machine it goes on until a shipment is sent. What is on its way at the end is waited for, but not counted as
    stored.
    """
    found, numbers = Crowd(players * rows_per_second), count()
    begin = time.monotonic()
    counted, end = begin + WARM_UP * seconds, begin + seconds
    games_per_second = rows_per_second / recorded.rows_per_game
    crowd = [
        Player(f"crowd{players}-{at}", hubs[at % len(hubs)], begin - PAUSE_SECONDS * at / players)
        for at in range(players)
    ]
    idle = [(begin, next(numbers), player) for player in crowd]
    flying: dict[Any, Player] = {}
    while (now := time.monotonic()) < end or not (flying or found.answers):
        while idle and idle[0][0] <= now:
            player = heapq.heappop(idle)[2]
            due = ((now - player.began) * rows_per_second - player.sent) / recorded.rows_per_game
            if due > QUEUE_GAMES:  # a player stops to play when so many games wait
                player.began += (due - QUEUE_GAMES) / games_per_second
            if due < 1:
                heapq.heappush(idle, (now + PAUSE_SECONDS, next(numbers), player))
                continue
            size, player.rows, content = recorded.take(int(due), player.games)
            call = player.hub.store.options(concurrency_group=STORING)
            flying[call.remote(player.name, player.number, content, None)] = player
            player.games, player.sent = player.games + size, player.sent + player.rows
            player.number, player.since = player.number + 1, now
        if not flying:
            time.sleep(LOOK_SECONDS)
            continue
        answered, _ = ray.wait(list(flying), num_returns=len(flying), timeout=LOOK_SECONDS, fetch_local=False)
        now = time.monotonic()
        for reply in answered:
            ray.get(reply)  # raises what went wrong
            player = flying.pop(reply)
            if now > counted:
                found.stored += player.rows / (end - counted)
                found.answers.append(now - player.since)
                found.waiting += (now - max(player.since, counted)) / (end - counted) / players
            heapq.heappush(idle, (player.since + PAUSE_SECONDS, next(numbers), player))
    for reply, player in flying.items():
        found.waiting += max(end - max(player.since, counted), 0.0) / (end - counted) / players
        ray.get(reply)
        if not found.answers:  # later ones would count the wait for those before them
            found.answers.append(time.monotonic() - player.since)
    return found
