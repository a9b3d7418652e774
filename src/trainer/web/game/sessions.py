"""Who plays which game: one duel a browser, told apart by a cookie; bounded in number, forgotten when idle."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from trainer.web.game.duel import Duel

COOKIE_SECONDS = 30 * 86400


@dataclass
class Session:
    """One browser's game."""

    key: str
    duel: Duel
    last_used: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while its game changes."""


class Sessions:
    """All games in progress. The one that was idle longest makes room for a new one."""

    def __init__(self, most: int, idle_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._now = now
        self._by_key: OrderedDict[str, Session] = OrderedDict()  # the one used last is the last

    def __len__(self) -> int:
        return len(self._by_key)

    def of(self, request: Request) -> Session | None:
        """The session of the browser that sent the request; None where it has none, or it has expired."""
        self._forget_idle()
        session = self._by_key.get(request.cookies.get(cookie_of(request), ""))
        if session is not None:
            session.last_used = self._now()
            self._by_key.move_to_end(session.key)
        return session

    def start(self, request: Request, duel: Duel) -> Session:
        """Give the browser a new game; its old one is gone."""
        session = self.of(request)
        if session is not None:
            del self._by_key[session.key]
        while len(self._by_key) >= self._most:
            self._by_key.popitem(last=False)
        key = session.key if session else secrets.token_urlsafe(24)
        self._by_key[key] = Session(key, duel, self._now())
        return self._by_key[key]

    def _forget_idle(self) -> None:
        oldest_allowed = self._now() - self._idle_seconds
        while self._by_key and next(iter(self._by_key.values())).last_used < oldest_allowed:
            self._by_key.popitem(last=False)


def cookie_of(request: Request) -> str:
    """The name of the cookie. It has the port, for browsers send a host's cookies to all of its servers."""
    server = request.scope.get("server")
    return f"cartridge_session_{server[1] if server else 0}"


def remember(request: Request, response: Response, session: Session) -> Response:
    """Have the browser send the session's key from now on; scripts and other sites' forms don't get at it."""
    response.set_cookie(
        cookie_of(request), session.key, max_age=COOKIE_SECONDS, httponly=True, samesite="lax", path="/"
    )
    return response
