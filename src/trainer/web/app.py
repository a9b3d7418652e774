"""The application: every call, and what answers it."""

from __future__ import annotations

import logging
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
from starlette.responses import Response
from starlette.routing import Route

from trainer.core.errors import TrainerError
from trainer.core.processes import available_cores
from trainer.games import ENV_IDS
from trainer.settings.groups.device import EvaluationSettings
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
from trainer.web.runs.models import Models
from trainer.web.runs.runs import Runs

log = logging.getLogger(__name__)

ROUTING_SENTENCES = {404: "There is no such page here.", 405: "This address does not accept that method."}
"""What to say when the routing itself refuses a request."""
STARTS_A_GAME = ("/game/state",)
"""Addresses at which a GET starts a game, in a browser that has none."""


@dataclass(frozen=True)
class Limits:
    """How many games in progress are kept, and for how long."""

    sessions: int = WebConfig.max_sessions
    idle_seconds: float = 60 * WebConfig.session_minutes


def build_app(
    data_dir: Path,
    limits: Limits,
    allow_origin: Sequence[str] = (),
    known_hosts: frozenset[str] | None = None,
    stop: Event | None = None,
    games: Sequence[str] = (),
    device: EvaluationSettings | None = None,
) -> Starlette:
    """The application for the runs under a folder.

    `allow_origin`: origins of other pages that may use the API. `known_hosts`: the host names to answer to; None allows
    any. `stop` ends the live streams, which never end by themselves. `games`: further games, by their files. `device`:
    what evaluates models; None: the CPU. Raises GameError if one of the games can't be loaded.
    """
    runs = Runs(data_dir)
    served = Games(runs, games)
    models = Models(runs, device)
    pool = SearchPool(threads=min(max(available_cores(), 2), 8))
    sessions = Sessions(limits.sessions, limits.idle_seconds)
    info = Info(served)
    play = Play(served, models, pool, sessions)
    statistics = Statistics(runs, served, models, sessions)
    live = Live(runs, models, stop or Event())
    stored_games = StoredGames(runs, pool)
    assets = Assets()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        looked_at = Games(Runs(data_dir)).of_runs()  # of its own: `runs` looks again within a second
        pool.prepare_soon(sorted(looked_at) or ENV_IDS[:1])
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
    guard = Middleware(Guard, known_hosts=known_hosts, allow_origin=allow_origin, changing=STARTS_A_GAME)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(allow_origin),
        allow_methods=["GET", "POST"],
        allow_headers=["content-type"],
        allow_credentials=True,
    )
    faults = Middleware(Faults)
    return Starlette(
        routes=routes,
        middleware=[guard, cors, faults] if allow_origin else [guard, faults],
        exception_handlers={
            Refusal: refused,
            HTTPException: refused_by_routing,
            TrainerError: refused_by_a_fault,
        },
        lifespan=lifespan,
    )


async def refused(request: Request, error: Exception) -> Response:
    """A refusal, as its status and its sentence."""
    assert isinstance(error, Refusal)
    return Sentence(error.detail, error.status_code)


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
