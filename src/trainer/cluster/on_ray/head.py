"""Notices that the head of the cluster is gone. Ray itself waits for a minute, and then ends the process in many lines."""

from __future__ import annotations

import os
import sys
from threading import Event, Thread

from trainer.cluster.on_ray.connection import require_answer

LOOK_SECONDS = 0.5
MOST_MISSED = 4
"""Looks in a row without an answer after which the head counts as gone."""


def leave_with_head(address: str, over: Event) -> None:
    """From now on, until `over` is set: when the head at `address` is gone, say so and end this process with status 1.

    Nothing is lost with it: this process stores no games, and its hubs and players end with the head.
    """
    Thread(target=_watch, args=(address, over), daemon=True, name="head").start()


def _watch(address: str, over: Event) -> None:
    missed = 0
    while not over.wait(LOOK_SECONDS):
        try:
            require_answer(address)
            missed = 0
        except ConnectionError:
            missed += 1
        if missed == MOST_MISSED:
            print(f"error: {farewell(address)}", file=sys.stderr, flush=True)
            os._exit(1)  # the other threads wait for Ray


def farewell(address: str) -> str:
    """What is said then."""
    return f"the head of the Ray cluster, {address}, is gone; start Ray again, then the same command with --resume"
