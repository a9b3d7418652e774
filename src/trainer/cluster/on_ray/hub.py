"""The hub as a Ray actor, and how players call it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trainer.cluster.hub import Hub
from trainer.cluster.roster import Statistics
from trainer.cluster.shelf import ShelvedModel
from trainer.cluster.transport import Assignment
from trainer.core.errors import first_line
from trainer.core.log import log_to_stderr
from trainer.settings.actor import ActorConfig

STORING = "storing"
JOINING = "joining"
TALKING = "talking"
GROUPS = {STORING: 8, JOINING: 2, TALKING: 4}
"""Threads for shipments; for joining, which waits for the database; and for what must be answered at once."""
CALL_SECONDS = 20.0
"""How long a player waits for an answer before it says that the hub can't be reached."""
SIGN_SECONDS = 2.0
"""Time between two signs of life of a player that waits for its shipment to be stored."""


class RayHub:
    """A hub whose models lie in Ray's object store, so that each node fetches one only once.

    It opens the database at the first call: Ray doesn't start an actor again whose constructor fails, as on a full disk.
    """

    def __init__(self, config: ActorConfig) -> None:
        log_to_stderr(config.log_level, force=True)  # Ray passes it on to the driver
        self._config = config
        self._opening = Lock()
        self._opened: Hub | None = None
        self._offered: tuple[str, Any] | None = None

    def join(self, name: str, versions: Mapping[str, str]) -> Assignment:
        """As `Hub.join`."""
        return self._hub.join(name, versions)

    def store(self, sender: str, number: int, content: bytes, statistics: Statistics | None) -> None:
        """As `Hub.store`."""
        self._hub.store(sender, number, content, statistics)

    def report(self, sender: str, statistics: Statistics) -> None:
        """As `Hub.report`."""
        self._hub.report(sender, statistics)

    def offer(self, known: str | None) -> tuple[str, list[Any]] | None:
        """The identity of the newest model and, in a list, a reference to its content; None as `Hub.newest_model`."""
        newest = self._hub.newest_model(known)
        if newest is None:
            return None
        if self._offered is None or self._offered[0] != newest.identity:
            self._offered = newest.identity, ray.put(newest.content)
        return newest.identity, [self._offered[1]]

    def publish(self) -> None:
        """Write actor_stats.json. Raises what is wrong with the database if it can't be opened."""
        self._hub.roster.publish()

    def close(self) -> None:
        """As `Hub.close`."""
        self._hub.close()

    @property
    def _hub(self) -> Hub:
        with self._opening:
            if self._opened is None:
                self._opened = Hub(self._config)
            return self._opened


def start_hub(config: ActorConfig, node: str) -> Any:
    """The handle of a new hub on a node. It is started again whenever it dies, and ends with this process."""
    options = {
        "num_cpus": 0,
        "max_restarts": -1,
        "concurrency_groups": GROUPS,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
    }
    return ray.remote(**options)(RayHub).remote(config)


def is_ready(reference: Any, seconds: float = 0.0) -> bool:
    """Whether a reply has come, after waiting for it for at most `seconds`."""
    return bool(ray.wait([reference], timeout=seconds)[0])


def answer_of(reference: Any, seconds: float = CALL_SECONDS) -> Any:
    """What a call returned. Raises the error that it raised, TimeoutError, or ConnectionError."""
    try:
        return ray.get(reference, timeout=seconds)
    except GetTimeoutError:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    except RayTaskError as error:
        if isinstance(error.cause, RayError):
            # Ray's own trouble where the hub is, such as an object store that is full
            raise ConnectionError(first_line(error.cause)) from None
        raise error.cause from None
    except RayError as error:
        raise ConnectionError(first_line(error)) from None


class RayTransport:
    """Calls to a hub in another process."""

    def __init__(self, hub: Any) -> None:
        """`hub` is the handle that `start_hub` returned."""
        self._hub = hub
        self._sent: tuple[str, int] | None = None
        self._reply: Any = None

    def join(self, name: str, versions: Mapping[str, str]) -> Assignment:
        """Ask to take part."""
        answer: Assignment = answer_of(self._call("join", JOINING, name, dict(versions)))
        return answer

    def store(self, sender: str, number: int, content: bytes, statistics: Statistics | None) -> None:
        """Store a shipment. After a timeout the next call waits for the same reply, so that one is in flight at most.

        Meanwhile the hub is told that the player is there, because a busy hub answers after seconds.
        """
        if self._sent != (sender, number):
            self._reply = self._call("store", STORING, sender, number, content, statistics)
            self._sent = sender, number
        try:
            self._await_reply(sender, statistics)
        except TimeoutError:
            raise
        except BaseException:
            self._sent = None
            raise

    def report(self, sender: str, statistics: Statistics) -> None:
        """Tell what this player did."""
        answer_of(self._call("report", TALKING, sender, statistics))

    def newest_model(self, known: str | None) -> ShelvedModel | None:
        """The newest model."""
        offer = answer_of(self._call("offer", TALKING, known))
        return None if offer is None else ShelvedModel(offer[0], answer_of(offer[1][0]))

    def _await_reply(self, sender: str, statistics: Statistics | None) -> None:
        """Return once the shipment is stored, and report every SIGN_SECONDS until then. Raises as `answer_of`."""
        end = time.monotonic() + CALL_SECONDS
        told: Any = None
        while not is_ready(self._reply, SIGN_SECONDS):
            if time.monotonic() >= end:
                raise TimeoutError(f"no answer within {CALL_SECONDS:g} s")
            if statistics is not None and (told is None or is_ready(told)):
                with suppress(ConnectionError):
                    told = self._call("report", TALKING, sender, statistics)
        answer_of(self._reply)

    def _call(self, method: str, group: str, *arguments: Any) -> Any:
        """Begin a call; returns the reference of its reply. Raises ConnectionError if that isn't possible."""
        try:
            return getattr(self._hub, method).options(concurrency_group=group).remote(*arguments)
        except RayError as error:  # such as an object store that is full
            raise ConnectionError(first_line(error)) from None
