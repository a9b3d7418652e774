"""Live figures: a stream of server-sent events, one whenever a run's files change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from threading import Event
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from trainer.web.http.errors import refusal
from trainer.web.runs.runs import Run, Runs
from trainer.web.statistics import actor_stats_of, model_of, stats_of

LOOK_EVERY = 0.5
SILENCE = 15.0
"""Seconds without an event after which a comment keeps the connection open."""
MOST_STREAMS = 200


class Live:
    """GET /events[?run=NAME]: an event `figures` at once and whenever something changed.

    Its data is {run, stats, actors, model}. The first one holds the whole histories; later ones have `added`: true and
    only the points and evaluations that are new.
    """

    def __init__(self, runs: Runs, stop: Event) -> None:
        self._runs = runs
        self._stop = stop
        self._open = 0

    async def events(self, request: Request) -> Response:
        """Answer with the stream."""
        name = request.query_params.get("run")
        await run_in_threadpool(self._runs.pick, name)
        if self._open >= MOST_STREAMS:
            raise refusal(429, "Too many pages are watching; close one, or poll /stats.")
        return StreamingResponse(self._stream(name), media_type="text/event-stream")

    async def _stream(self, name: str | None) -> AsyncIterator[str]:
        self._open += 1
        try:
            last: dict[str, Any] | None = None
            silent = 0.0
            yield "retry: 1000\n\n"
            while not self._stop.is_set():
                figures = await run_in_threadpool(self._figures, name)
                if figures != last:
                    yield f"event: figures\ndata: {json.dumps(change(last, figures), allow_nan=False)}\n\n"
                    last, silent = figures, 0.0
                elif silent >= SILENCE:
                    yield ": still here\n\n"
                    silent = 0.0
                await asyncio.sleep(LOOK_EVERY)
                silent += LOOK_EVERY
        finally:
            self._open -= 1

    def _figures(self, name: str | None) -> dict[str, Any]:
        run = next((run for run in self._runs.all() if run.name == name), None) if name else self._runs.pick(None)
        return figures_of(self._runs, run)


def figures_of(runs: Runs, run: Run | None) -> dict[str, Any]:
    """All that is known of a run now."""
    model = runs.model_in(run) if run else None
    return {
        "run": run.name if run else None,
        "stats": stats_of(run),
        "actors": actor_stats_of(run),
        "model": model_of(model, str(run.env_id)) if run and model else None,
    }


def change(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    """`now` without the points of its histories that `before` had; all of it where the run is another or began anew."""
    same = before is not None and before["run"] == now["run"] and before["stats"]["step"] <= now["stats"]["step"]
    if before is None or not same or not before["stats"]["history"]:
        return now | {"added": False}
    newest = before["stats"]["history"][-1]["step"]
    new_points = [point for point in now["stats"]["history"] if point["step"] > newest]
    evaluations = [one for one in now["stats"]["eval_history"] if one not in before["stats"]["eval_history"]]
    return now | {"added": True, "stats": now["stats"] | {"history": new_points, "eval_history": evaluations}}
