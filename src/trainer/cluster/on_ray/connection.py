"""The connection to a Ray cluster, and the reasons for which there is none."""

from __future__ import annotations

import logging
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

import ray
from ray._private.services import canonicalize_bootstrap_address
from ray.exceptions import RayError

from trainer.core.errors import ConfigError, first_line

log = logging.getLogger(__name__)

SHARED_MEMORY = Path("/dev/shm")
LEAST_STORE = 64 * 2**20
"""Bytes that the object store of a node must have, for models and shipments on their way."""
ANSWER_SECONDS = 5.0
"""How long the head may take to accept a connection."""
CPU_SECONDS = 10.0
"""How long to wait for a free CPU at the start: Ray is slow to notice that an earlier run has ended."""


@dataclass(frozen=True)
class Node:
    """A machine of the cluster that is alive, as far as Ray knows."""

    identity: str
    host: str
    cpus: int
    object_store: int
    """Bytes."""
    gpus: int = 0
    is_head: bool = False
    """Whether the cluster was started there; its size may be another than that of the machines that an autoscaler adds."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A connection to the cluster at `address` while the block runs. Raises ConfigError if that can't be."""
    with joining(address):
        require_answer(address)
        try:
            with chdir("/"):  # Ray has its workers import from here first: not a trainer.py of the working folder
                ray.init(address=address, logging_level=logging.WARNING, log_to_driver=True)
        except SystemExit as error:  # what Ray makes of SIGTERM while it connects
            raise KeyboardInterrupt from error
    try:
        yield
    finally:
        ray.shutdown()


def require_cluster(address: str) -> None:
    """Raise ConfigError if there is no cluster at the address, as far as that can be told without joining it."""
    with joining(address):
        require_answer(address)


@contextmanager
def joining(address: str) -> Iterator[None]:
    """Turn what Ray says of a cluster that can't be joined into a ConfigError."""
    refuse_without_shared_memory()
    try:
        yield
    except (ConnectionError, ValueError, RuntimeError, TimeoutError, RayError) as error:  # RayError: a missing token
        reason = first_line(error).rstrip(".")
        raise ConfigError(
            f"this machine can't join the Ray cluster {address} ({reason}); start one with ray start --head, or connect "
            f"this machine to it with ray start --address=HEAD:6379"
        ) from error


def require_answer(address: str) -> None:
    """Raise ConnectionError if no program listens at the address: Ray itself would try for many minutes.

    Raises ValueError for what isn't an address. Ray's own function would take 127.0.0.1 for the machine's other address.
    """
    found = str(canonicalize_bootstrap_address(address)) if address == "auto" else address
    host, _, port = found.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{found} is not a host and a port")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError as error:
        raise ConnectionError(f"nothing answers at {host}:{port}: {error.strerror or error}") from error


def refuse_without_shared_memory() -> None:
    """Raise ConfigError on a Linux machine without /dev/shm, where Ray's object store would lie on a disk."""
    if sys.platform == "linux" and not SHARED_MEMORY.is_dir():
        raise ConfigError(
            f"there is no {SHARED_MEMORY}, where Ray keeps what it sends; mount a tmpfs there (in a container: --shm-size)"
        )


def warn_of_store_on_disk(node: Node) -> None:
    """Warn if /dev/shm of this machine, which is `node`, is smaller than its object store, which Ray then puts on a disk."""
    if sys.platform != "linux":
        return
    size = shutil.disk_usage(SHARED_MEMORY).total
    if size < node.object_store:
        log.warning(
            "%s of %s has %d MiB and the object store %d, so Ray probably keeps it on a disk, which is slower; make it "
            "larger (in a container: --shm-size), or start Ray there with a smaller --object-store-memory",
            SHARED_MEMORY,
            node.host,
            size // 2**20,
            node.object_store // 2**20,
        )


def refuse_small_store(node: Node) -> None:
    """Raise ConfigError for a machine whose object store is too small."""
    if node.object_store < LEAST_STORE:
        raise ConfigError(
            f"the object store of {node.host} has {node.object_store // 2**20} MiB and {LEAST_STORE // 2**20} are needed; "
            f"start Ray there with a larger --object-store-memory"
        )


def nodes() -> list[Node]:
    """The machines that are alive."""
    return [
        Node(
            identity=node["NodeID"],
            host=node["NodeManagerHostname"],
            cpus=int(node["Resources"].get("CPU", 0)),
            object_store=int(node["Resources"].get("object_store_memory", 0)),
            gpus=int(node["Resources"].get("GPU", 0)),
            is_head="node:__internal_head__" in node["Resources"],
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


def this_node() -> str:
    """The identity of the machine that this process runs on."""
    return str(ray.get_runtime_context().get_node_id())


def require_room(address: str, asks_for_nodes: bool) -> None:
    """Raise ConfigError if this machine can't hold the hub, or if no CPU of the cluster is free.

    The latter is only a warning if an autoscaler is asked for nodes: it may have let all of them go.
    """
    found = nodes()
    here = this_node()
    for node in found:
        if node.identity == here:
            refuse_small_store(node)
            warn_of_store_on_disk(node)
    end = time.monotonic() + CPU_SECONDS
    while ray.available_resources().get("CPU", 0) < 1:
        if time.monotonic() > end:
            cpus = sum(node.cpus for node in found)
            if asks_for_nodes:
                log.warning(
                    "the Ray cluster %s has no free CPUs (it has %d in all); players wait for some", address, cpus
                )
                return
            raise ConfigError(
                f"the Ray cluster {address} has no free CPUs (it has {cpus} in all); end what "
                f"uses them, or add a machine with ray start --address=HEAD:6379"
            )
        time.sleep(0.5)
