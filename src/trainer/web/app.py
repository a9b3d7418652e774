"""The application: every call, and what answers it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trainer.core.errors import TrainerError
from trainer.core.processes import available_cores
from trainer.games import DEFAULT_GAME
from trainer.settings.web import WebConfig
from trainer.web.api.info import Info, health
from trainer.web.api.live import Live
from trainer.web.api.play import Play
from trainer.web.api.statistics import Statistics
from trainer.web.api.stored_games import StoredGames
from trainer.web.game.search_pool import SearchPool
from trainer.web.game.sessions import Sessions
from trainer.web.http.answer import Sentence
from trainer.web.http.assets import Assets
from trainer.web.http.faults import Faults
from trainer.web.http.guard import Guard
from trainer.web.http.refusal import Refusal
from trainer.web.runs.games import Games
from trainer.web.runs.missing import MissingError
from trainer.web.runs.models import Models
from trainer.web.runs.runs import Runs

log = logging.getLogger(__name__)

ROUTING_SENTENCES = {404: "There is no such page here.", 405: "This address does not accept that method."}
"""What to say when the routing itself refuses a request."""
STARTS_A_GAME = ("/game/state",)
"""Addresses at which a GET starts a game, in a browser that has none."""


def build_app(config: WebConfig, stop: Event) -> Starlette:
    """The application with these settings. `stop` ends the live streams, which never end by themselves.

    Raises GameError if one of the further games can't be loaded.
    """
    runs = Runs(config.data_dir)
    served = Games(runs, config.games)
    models = Models(runs, config)
    pool = SearchPool(threads=min(max(available_cores(), 2), 8))
    sessions = Sessions(config.max_sessions, 60 * config.session_minutes)
    info = Info(served)
    play = Play(served, models, pool, sessions)
    statistics = Statistics(runs, served, models, sessions)
    live = Live(runs, models, stop)
    stored_games = StoredGames(runs, pool)
    assets = Assets()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        looked_at = Games(Runs(config.data_dir)).of_runs()  # of its own: `runs` looks again within a second
        pool.prepare_soon(sorted(looked_at) or [DEFAULT_GAME])
        yield
        pool.close()

    routes = [
        Route("/", assets.answer),
        Route("/static/{name:path}", assets.answer),
        Route("/health", health),
        Route("/games", info.games),
        Route("/game-info/{env_id}", info.game_info),
        Route("/game/new", play.new, methods=["POST"]),
        Route("/game/state", play.state),
        Route("/move", play.move, methods=["POST"]),
        Route("/game/undo", play.undo, methods=["POST"]),
        Route("/game/settings", play.settings, methods=["POST"]),
        Route("/game/moves", play.moves),
        Route("/game/analysis", play.analysis),
        Route("/stats", statistics.stats),
        Route("/actor-stats", statistics.actor_stats),
        Route("/model", statistics.model),
        Route("/runs", statistics.runs),
        Route("/published", statistics.published),
        Route("/events", live.events),
        Route("/replay/games", stored_games.games),
        Route("/replay/game", stored_games.game),
    ]
    origins = config.allow_origin
    guard = Middleware(
        Guard,
        known_hosts=config.known_hosts,
        any_address=config.reachable,
        allow_origin=origins,
        changing=STARTS_A_GAME,
    )
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["content-type"],
        allow_credentials=True,
    )
    faults = Middleware(Faults)
    return Starlette(
        routes=routes,
        middleware=[guard, cors, faults] if origins else [guard, faults],
        exception_handlers={
            Refusal: refused,
            MissingError: refused_as_missing,
            HTTPException: refused_by_routing,
            TrainerError: refused_by_a_fault,
        },
        lifespan=lifespan,
    )


async def refused(request: Request, error: Exception) -> Response:
    """A refusal, as its status and its sentence."""
    assert isinstance(error, Refusal)
    return Sentence(error.detail, error.status_code)


async def refused_as_missing(request: Request, error: Exception) -> Response:
    """What isn't there, as its sentence."""
    return Sentence(str(error), 404)


async def refused_by_routing(request: Request, error: Exception) -> Response:
    """An unknown address or method, as a sentence."""
    assert isinstance(error, HTTPException)
    sentence = ROUTING_SENTENCES.get(error.status_code, error.detail)
    return Sentence(sentence, error.status_code, headers=error.headers)


async def refused_by_a_fault(request: Request, error: Exception) -> Response:
    """What somebody has to mend, such as rules that were edited while the page served them, as its sentence."""
    log.warning("%s %s failed: %s", request.method, request.url.path, error)
    text = str(error)
    return Sentence(f"{text[:1].upper()}{text[1:]}.", 422)
