"""Live statistics: a stream of server-sent events, one whenever a run's files change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from threading import Event
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from trainer.web.api.statistics import actor_stats_of, model_of_run, stats_of
from trainer.web.http.answer import json_text
from trainer.web.http.refusal import Refusal
from trainer.web.runs.models import Models
from trainer.web.runs.run import Run, is_run
from trainer.web.runs.runs import Runs

LOOK_EVERY = 0.5
"""Seconds between two looks at the files."""
MAX_SILENCE = 15.0
"""Seconds without an event after which a comment is sent to keep the connection open."""
MAX_STREAMS = 200
UNBUFFERED = {"x-accel-buffering": "no", "cache-control": "no-cache, no-transform"}
"""Headers that ask a proxy to pass each event on at once (nginx), and neither to store nor to compress the stream."""


class Live:
    """GET /events[?run=NAME]: an event `statistics` at once, and another whenever something has changed.

    Its data is {run, stats, actors, model, added, now}. The first event has the whole histories and `added` false; later
    ones have `added` true and only the new points and evaluations. `now` is this machine's time, Unix seconds.
    """

    def __init__(self, runs: Runs, models: Models, stop: Event) -> None:
        """`stop` ends all streams."""
        self._runs = runs
        self._models = models
        self._stop = stop
        self._open = 0

    async def events(self, request: Request) -> Response:
        """Answer with the stream."""
        name = request.query_params.get("run")
        await run_in_threadpool(self._runs.pick, name)
        if self._open >= MAX_STREAMS:
            raise Refusal(429, "Too many pages are watching; close one, or poll /stats.")
        return StreamingResponse(self._stream(name), media_type="text/event-stream", headers=UNBUFFERED)

    async def _stream(self, name: str | None) -> AsyncIterator[str]:
        """The events. A stream of a certain run ends when that run is gone, because it was renamed or deleted."""
        self._open += 1
        try:
            sent: dict[str, Any] | None = None
            silence = 0.0
            yield "retry: 1000\n\n"
            while not self._stop.is_set():
                now = await run_in_threadpool(self._snapshot, name)
                if now is None:
                    return
                if now != sent:
                    event = update(sent, now) | {"now": time.time()}
                    yield f"event: statistics\ndata: {json_text(event)}\n\n"
                    sent, silence = now, 0.0
                elif silence >= MAX_SILENCE:
                    yield ": still here\n\n"
                    silence = 0.0
                await asyncio.sleep(LOOK_EVERY)
                silence += LOOK_EVERY
        finally:
            self._open -= 1

    def _snapshot(self, name: str | None) -> dict[str, Any] | None:
        """A snapshot of the run of that name, or of the newest; None if there is no run of that name."""
        if name is None:
            return snapshot(self._models, self._runs.newest())
        run = self._runs.find(name)
        return snapshot(self._models, run) if run and is_run(run.folder) else None  # `find` looks once per second


def snapshot(models: Models, run: Run | None) -> dict[str, Any]:
    """All statistics of a run as they are now."""
    return {
        "run": run.name if run else None,
        "stats": stats_of(run),
        "actors": actor_stats_of(run),
        "model": model_of_run(models, run) if run else None,
    }


def update(sent: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    """What to send of a snapshot to a page that has got the snapshot `sent`: without the points it already has.

    All of it if nothing was sent, if it is of another run, or if the run has started over.
    """
    if sent is None or sent["run"] != now["run"] or sent["stats"]["step"] > now["stats"]["step"]:
        return now | {"added": False}
    if not sent["stats"]["history"]:
        return now | {"added": False}
    newest = sent["stats"]["history"][-1]["step"]
    points = [point for point in now["stats"]["history"] if point["step"] > newest]
    evaluations = [one for one in now["stats"]["eval_history"] if one not in sent["stats"]["eval_history"]]
    return now | {"added": True, "stats": now["stats"] | {"history": points, "eval_history": evaluations}}
