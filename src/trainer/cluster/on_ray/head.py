"""Notices that the head of the cluster is gone. Ray itself waits for a minute, and then ends the process in many lines."""

from __future__ import annotations

import os
import sys
import time
from threading import Event, Thread

from trainer.cluster.on_ray.connection import require_answer

LOOK_SECONDS = 0.5
REFUSED_SECONDS, SILENT_SECONDS = 2.0, 30.0
"""How long the head may refuse connections, because it has ended, or be out of reach, because the network is down. Then it
counts as gone."""


def leave_with_head(address: str, over: Event) -> None:
    """From now on, until `over` is set: when the head at `address` is gone, say so and end this process with status 1.

    Nothing that was acknowledged is lost: this process stores no games, and its hubs and players end with the head.
    """
    Thread(target=_watch, args=(address, over), daemon=True, name="head").start()


def _watch(address: str, over: Event) -> None:
    answered = time.monotonic()
    while not over.wait(LOOK_SECONDS):
        try:
            require_answer(address)
        except ConnectionError as error:
            limit = REFUSED_SECONDS if isinstance(error.__cause__, ConnectionRefusedError) else SILENT_SECONDS
            if time.monotonic() > answered + limit and not over.is_set():
                print(f"error: {farewell(address)}", file=sys.stderr, flush=True)
                os._exit(1)  # the other threads wait for Ray
        else:
            answered = time.monotonic()


def farewell(address: str) -> str:
    """What is said then."""
    return f"the head of the Ray cluster, {address}, is gone; start Ray again, then the same command with --resume"
