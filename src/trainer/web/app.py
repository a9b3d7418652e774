"""The application: every call and what answers it."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from trainer.web.game.analysis import Engine
from trainer.web.game.play import Play
from trainer.web.game.sessions import Sessions
from trainer.web.http.assets import Assets
from trainer.web.http.guard import Guard
from trainer.web.live import Live
from trainer.web.runs.runs import Runs
from trainer.web.statistics import Figures
from trainer.web.stored_games import Library

log = logging.getLogger(__name__)

SENTENCES = {404: "There is no such page here.", 405: "This address does not answer to that method."}
"""For refusals that come from the routing itself."""


@dataclass(frozen=True)
class Limits:
    """How many games in progress are kept, and for how long."""

    sessions: int = 1000
    idle_seconds: float = 3600.0


def build_app(
    data_dir: Path,
    limits: Limits,
    allow_origin: Sequence[str] = (),
    known_hosts: frozenset[str] | None = None,
    stop: Event | None = None,
) -> Starlette:
    """The application for the runs under a folder; `stop` ends its endless streams."""
    runs = Runs(data_dir)
    engine = Engine(threads=min(max(os.cpu_count() or 1, 2), 8))
    sessions = Sessions(limits.sessions, limits.idle_seconds)
    play = Play(runs, engine, sessions)
    figures = Figures(runs, sessions)
    library = Library(runs, engine)
    live = Live(runs, stop or Event())
    assets = Assets()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        engine.prepare_all()
        yield
        engine.close()

    routes = [
        Route("/", assets.answer),
        Route("/static/{name:path}", assets.answer),
        Route("/health", figures.health),
        Route("/games", figures.games),
        Route("/game-info/{env_id}", figures.game_info),
        Route("/game/new", play.new, methods=["POST"]),
        Route("/game/state", play.state),
        Route("/move", play.move, methods=["POST"]),
        Route("/game/undo", play.undo, methods=["POST"]),
        Route("/game/settings", play.settings, methods=["POST"]),
        Route("/game/moves", play.moves),
        Route("/game/mind", play.mind),
        Route("/stats", figures.stats),
        Route("/actor-stats", figures.actor_stats),
        Route("/model", figures.model),
        Route("/runs", figures.runs),
        Route("/events", live.events),
        Route("/replay/games", library.games),
        Route("/replay/game", library.game),
    ]
    guard = Middleware(Guard, known_hosts=known_hosts, shared=bool(allow_origin))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(allow_origin),
        allow_methods=["GET", "POST"],
        allow_headers=["content-type"],
        allow_credentials=True,
    )
    return Starlette(
        routes=routes,
        middleware=[guard, cors] if allow_origin else [guard],
        exception_handlers={HTTPException: refused, 500: failed},
        lifespan=lifespan,
    )


async def refused(request: Request, error: Exception) -> Response:
    """A refusal as its status and its sentence."""
    assert isinstance(error, HTTPException)
    sentence = error.detail
    if type(error).__module__.startswith("starlette") and sentence in ("Not Found", "Method Not Allowed"):
        sentence = SENTENCES[error.status_code]
    return PlainTextResponse(sentence, error.status_code, headers=dict(error.headers or {}))


async def failed(request: Request, error: Exception) -> Response:
    """A bug: the log has it, the browser gets a sentence."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return PlainTextResponse("Something went wrong in the server; its log has the details.", 500)
