"""The players of a cluster: one on each node that plays, started again whenever it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Any

import ray
from ray.autoscaler.sdk import request_resources
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trainer.cluster.on_ray.connection import (
    Node,
    refuse_small_store,
    refuse_without_shared_memory,
    warn_of_store_on_disk,
)
from trainer.cluster.on_ray.hub import RayTransport, answer_of, is_ready
from trainer.cluster.player import play_for
from trainer.cluster.versions import RefusedError
from trainer.core.errors import ConfigError, first_line
from trainer.core.log import log_to_stderr

log = logging.getLogger(__name__)

START_SECONDS = 60.0
"""Time after which it is reported that a player has not started."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds before a player that ended is started again; the pause doubles while it ends soon after each start."""
SOON = 60.0
"""Seconds of play after which the pause is the first one again."""


Bundle = dict[str, int]
"""Resources that one node is to have."""


class RayPlayer:
    """A player as a Ray actor."""

    def __init__(self, log_level: str) -> None:
        log_to_stderr(log_level, force=True)  # Ray passes it on to the driver
        self._stop = Event()

    def begin(self) -> None:
        """Return when the process is up."""

    def play(self, hub: Any, name: str, node: Node, gpu: bool) -> None:
        """Play on all cores of this machine, which is `node`, until `stop` is called. All finished games are stored then.

        `gpu`: whether Ray has reserved a GPU for it. Without one it must use the CPU, even if it sees a GPU: Ray hides only
        those that it counts.
        """
        refuse_without_shared_memory()
        warn_of_store_on_disk(node)
        play_for(RayTransport(hub), name, node.cpus, self._stop, gpu)

    def stop(self) -> None:
        """Let `play` end."""
        self._stop.set()


@dataclass
class PlayerSlot:
    """A node and the player there, if one is at work."""

    node: Node
    name: str
    player: Any = None
    begun: Any = None
    """The reply that comes once the player's process is up."""
    end: Any = None
    """The reply that comes when the player ends."""
    since: float = 0.0
    pause: float = FIRST_PAUSE
    not_before: float = 0.0
    refused: bool = False
    """The node can't play."""
    late: bool = False
    """It was reported that the player hasn't started. Its place is for another node, if there is one."""


class Fleet:
    """Keeps players at work on the nodes of a cluster."""

    def __init__(self, hubs: Sequence[Any], name: str, players: int | None, log_level: str, gpu: bool = False) -> None:
        """`hubs` has their handles. Players are named `name`-1, -2, ..., and a name always goes with the same hub.

        `players`: how many nodes play; None: all. `gpu`: each uses the GPU of its node, if there is one.
        """
        self._hubs = hubs
        self._name = name
        self._players = players
        self._log_level = log_level
        self._gpu = gpu
        self._slots: dict[str, PlayerSlot] = {}
        self._asked_for: list[Bundle] = []
        """What the autoscaler was asked for."""
        self._given_up: dict[str, float] = {}
        """When a node gave its place to another one, because its player didn't start."""

    def look(self, nodes: Sequence[Node]) -> None:
        """Start players on nodes that lack one, and forget nodes that are gone."""
        alive = {node.identity: node for node in nodes if node.cpus > 0}
        for identity in [one for one in self._slots if one not in alive]:
            slot = self._slots.pop(identity)
            log.info("%s has left, and %s with it", slot.node.host, slot.name)
        idle = [node for node in alive.values() if node.identity not in self._slots]
        for node in sorted(idle, key=lambda node: self._given_up.get(node.identity, 0.0)):
            if self._has_place():
                self._slots[node.identity] = self._new_slot(node)
        for slot in self._slots.values():
            self._tend(slot)
        self._ask_for_nodes(nodes)

    def stop(self, seconds: float) -> None:
        """End all players, each with its finished games stored; give up after that many seconds."""
        ends = {}
        for slot in self._slots.values():
            if slot.player is None:
                continue
            if is_ready(slot.begun):
                slot.player.stop.remote()
                ends[slot.end] = slot
            else:  # its process isn't up yet
                ray.kill(slot.player)
        if self._asked_for:
            need_no_nodes()
        ended, _ = ray.wait(list(ends), num_returns=len(ends), timeout=seconds) if ends else ([], [])
        for end, slot in ends.items():
            if end not in ended:
                log.warning("%s on %s didn't stop in time; its last games are lost", slot.name, slot.node.host)
            elif failure := failure_of(end):
                log.warning("%s on %s ended before it was stopped (%s)", slot.name, slot.node.host, first_line(failure))

    def _has_place(self) -> bool:
        """Whether one more node is to play. If all places are taken, one whose player doesn't start loses its place.

        Nodes that can't play take none.
        """
        if self._players is None or sum(not slot.refused for slot in self._slots.values()) < self._players:
            return True
        late = next((slot for slot in self._slots.values() if slot.late and not is_ready(slot.begun)), None)
        if late is None:
            return False
        log.info("%s gives its place to another machine", late.node.host)
        ray.kill(late.player)
        del self._slots[late.node.identity]
        self._given_up[late.node.identity] = time.monotonic()
        return True

    def _new_slot(self, node: Node) -> PlayerSlot:
        """The slot of a node that has joined."""
        slot = PlayerSlot(node, self._free_name())
        log.info("%s has joined with %d CPUs and gets %s", node.host, node.cpus, slot.name)
        try:
            refuse_small_store(node)
        except ConfigError as error:
            log.warning("%s", error)
            slot.refused = True
        return slot

    def _tend(self, slot: PlayerSlot) -> None:
        """Start the player of a slot, or see how it is."""
        now = time.monotonic()
        if slot.player is None:
            if not slot.refused and now >= slot.not_before:
                self._start(slot)
        elif is_ready(slot.end):
            failure = failure_of(slot.end)
            ray.kill(slot.player)
            slot.player, slot.late = None, False
            if isinstance(failure, RefusedError):
                log.warning(
                    "%s on %s is refused (%s); it isn't tried again until the machine has left the cluster and joined again",
                    slot.name,
                    slot.node.host,
                    first_line(failure),
                )
                slot.refused = True
                return
            reason = first_line(failure) if failure else "it was stopped"
            if now > slot.since + SOON:
                slot.pause = FIRST_PAUSE
            log.warning("%s on %s ended (%s); it starts again in %g s", slot.name, slot.node.host, reason, slot.pause)
            slot.not_before, slot.pause = now + slot.pause, min(2 * slot.pause, LONGEST_PAUSE)
        elif slot.late:
            slot.late = not is_ready(slot.begun)
        elif now > slot.since + START_SECONDS and not is_ready(slot.begun):
            log.warning("%s doesn't start on %s; do other programs use its CPUs or its GPU?", slot.name, slot.node.host)
            slot.late = True

    def _start(self, slot: PlayerSlot) -> None:
        """Start a player; its calls wait until its process is up."""
        gpus = min(1, slot.node.gpus) if self._gpu else 0
        options = {
            "num_cpus": slot.node.cpus,
            "num_gpus": gpus,
            "max_restarts": 0,
            "max_concurrency": 3,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(slot.node.identity, soft=False),
        }
        slot.player = ray.remote(**options)(RayPlayer).remote(self._log_level)
        slot.begun = slot.player.begin.remote()
        hub = self._hubs[int(slot.name.rpartition("-")[2]) % len(self._hubs)]
        slot.end = slot.player.play.remote(hub, slot.name, slot.node, gpus > 0)
        slot.since = time.monotonic()

    def _free_name(self) -> str:
        """The first name that no player has."""
        taken = {slot.name for slot in self._slots.values()}
        numbers = range(1, len(taken) + 2)
        return next(name for number in numbers if (name := f"{self._name}-{number}") not in taken)

    def _ask_for_nodes(self, nodes: Sequence[Node]) -> None:
        """Tell the autoscaler, if the cluster has one, which nodes are to play; again whenever that changes."""
        if self._players is None or not nodes:
            return
        missing = self._players - sum(not slot.refused and not slot.late for slot in self._slots.values())
        missing = min(missing, 2 * self._players - len(self._slots))  # what refuses all may refuse any number
        bundles = wanted_bundles(missing, [slot.node for slot in self._slots.values()], nodes, self._gpu)
        if bundles != self._asked_for:
            self._asked_for = bundles
            request_resources(bundles=bundles)


def need_no_nodes() -> None:
    """Take back what the autoscaler was asked for: it would keep the nodes until somebody asks for others."""
    with suppress(RayError):  # the head is gone, and what it was asked for with it
        request_resources(bundles=[])


def wanted_bundles(missing: int, taken: Sequence[Node], nodes: Sequence[Node], gpu: bool) -> list[Bundle]:
    """What an autoscaler is asked for, so that it keeps the nodes that are `taken` and adds as many as are `missing`.

    `nodes`: all that are alive. `gpu`: each player is to have a GPU. A player takes a whole node, so what is missing is
    asked for by the CPUs of the largest node beside the head; as long as there is none, by one CPU, which any machine has.
    """
    cpus = max((node.cpus for node in nodes if not node.is_head), default=0) or 1
    # Where some node has no GPU, new ones may have none, too: a request for GPUs might never be met.
    gpus = {"GPU": 1} if gpu and all(node.gpus for node in nodes) else {}
    return [{"CPU": size} | gpus for size in [*(node.cpus for node in taken), *[cpus] * max(missing, 0)]]


def failure_of(end: Any) -> Exception | None:
    """Why a player ended; None if it was asked to."""
    try:
        answer_of(end)
    except Exception as error:  # whatever ended another process
        return error
    return None
