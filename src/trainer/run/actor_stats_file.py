"""What the actors of a run did: `actor_stats.json`, shared under a lock. Its top level is the sum of all actors."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.core.json_values import has_numbers, number_fields, read_json_object, write_json
from trainer.core.locks import locked
from trainer.core.log import Trouble
from trainer.core.processes import is_alive, process_space
from trainer.run.actor_stats import COUNTS, RATES, ActorStats, ActorTotals
from trainer.run.folder import ACTOR_STATS_FILE

log = logging.getLogger(__name__)

SILENCE = 60
"""Seconds of silence after which an actor counts as ended; a running actor writes several times per second."""
CLUSTER = "cluster"
"""The process space of a cluster's players. `timestamp` is when the hub last heard from one, by the hub's clock."""
CLUSTER_SILENCE = 6
"""Seconds of silence after which a cluster's player counts as ended. It reports every second, as often as the hub writes, or
every two seconds while it waits for the hub."""
MOST_ENDED = 100
"""Maximum number of ended actors with an entry of their own."""
EARLIER = "earlier"
"""The entry with the counts of those that ended before."""
LONG_AGO = 3600
"""Seconds of silence after which an actor's counts may be added to that entry: it won't be heard of again."""


class WriteTrouble:
    """What is logged, once, while actor_stats.json can't be written."""

    def __init__(self) -> None:
        self._trouble = Trouble(log)

    @contextmanager
    def reported(self) -> Iterator[None]:
        """For an attempt to write the file: an OSError ends the attempt alone, because there will be another one."""
        try:
            yield
        except OSError as error:
            self._trouble.begin(f"can't write {ACTOR_STATS_FILE} ({error.strerror}); playing on")
        else:
            self._trouble.end()


def write_actor(path: Path, actor_id: str, stats: ActorStats) -> None:
    """Replace this actor's part of actor_stats.json and the sums over all actors."""
    now = int(time.time())
    write_actors(path, stats.env_id, {f"{actor_id}-{stats.start}": asdict(stats) | {"timestamp": now}}, now)


def write_actors(path: Path, env_id: str, ours: Mapping[str, dict[str, Any]], now: int) -> None:
    """Replace the parts of `ours` in actor_stats.json, each the fields of an ActorStats, and the sums over all actors.

    `now` is the time in Unix seconds.
    """
    here = process_space()
    with locked(path):
        actors = {**read_actors(path, env_id), **ours}
        earlier = [actors.pop(EARLIER)] if EARLIER in actors else []
        ended = [key for key, actor in actors.items() if has_ended(actor, now, here)]
        ended.sort(key=lambda key: int(actors[key]["timestamp"]))
        for key in ended:
            actors[key] = actors[key] | dict.fromkeys(RATES, 0.0)
        gone = [key for key in ended if key not in ours and actors[key]["timestamp"] < now - LONG_AGO]
        earlier += [actors.pop(key) for key in gone[: max(0, len(ended) - MOST_ENDED)]]
        if earlier:
            actors[EARLIER] = summed_up(env_id, earlier)
        write_json(path, asdict(ActorTotals.of(env_id, list(actors.values()))) | {"actors": actors})


def summed_up(env_id: str, actors: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One entry for several ended actors, at least one, ordered by their timestamps; the rest of it is of the last one."""
    if len(actors) == 1:
        return actors[0]
    totals = ActorTotals.of(env_id, actors)
    times = {name: getattr(totals, name) for name in ("runtime_seconds", "mcts_avg_inference_us")}
    return actors[-1] | {name: sum(actor.get(name, 0) for actor in actors) for name in COUNTS} | times


def has_ended(actor: Mapping[str, Any], now: int, here: str) -> bool:
    """Whether an actor has ended, seen at `now` (Unix seconds) from the process space `here`.

    Its process is gone, or it has been silent for long. The process ids of another machine or container say nothing, nor do
    those of a cluster's players: the hub has heard from them, or it hasn't.
    """
    space = actor.get("space", here)
    gone = space == here and not is_alive(int(actor["process"]))
    return gone or actor["timestamp"] < now - (CLUSTER_SILENCE if space == CLUSTER else SILENCE)


def read_actors(path: Path, env_id: str) -> dict[str, dict[str, Any]]:
    """The statistics of each actor of this game; damaged files and entries are ignored."""
    content = read_json_object(path) or {}
    return actors_in(content) if content.get("env_id") == env_id else {}


def actors_in(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The statistics of each actor in the content of the file, whatever its game; damaged entries are left out.

    An entry of an earlier version may lack a count.
    """
    actors = content.get("actors")
    if not isinstance(actors, dict):
        return {}
    required = set(number_fields(ActorStats)) - set(COUNTS)
    return {
        key: actor
        for key, actor in actors.items()
        if isinstance(actor, dict) and has_numbers(actor, required | (actor.keys() & set(COUNTS)))
    }


def rates_in(content: Mapping[str, Any], now: float) -> dict[str, float]:
    """The summed rates of the actors in actor_stats.json that have not ended by `now` (Unix seconds).

    Those in the file are as the last actor wrote them, who may have ended since. Empty if the file lists no actors.
    """
    actors, here = actors_in(content), process_space()
    running = [actor for actor in actors.values() if not has_ended(actor, int(now), here)]
    return {rate: sum(float(actor[rate]) for actor in running) for rate in RATES} if actors else {}
