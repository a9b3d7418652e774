"""Which browser plays which game, told apart by a cookie. Idle games are forgotten, and their number is limited."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from trainer.web.game.analysed_game import AnalysedGame


@dataclass
class Session:
    """One browser's game."""

    key: str
    """The value of the cookie."""
    game: AnalysedGame
    last_used: float
    """In seconds of the clock of Sessions."""
    game_id: str = field(default_factory=lambda: secrets.token_hex(8))
    """Tells this game from the games before and after it in the same browser."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the game changes."""


class Sessions:
    """All games in progress. The game that has been idle longest makes room for a new one.

    Each server names its cookie at random when it starts, because browsers send a host's cookies to every port and path of
    that host. Nothing else tells servers apart: in containers they listen on the same port, and behind a proxy they may
    share host name and port.
    """

    def __init__(self, limit: int, idle_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """`limit`: games to keep at most. `idle_seconds`: after which a game is forgotten. `now`: a clock in seconds."""
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._now = now
        self._by_key: OrderedDict[str, Session] = OrderedDict()  # the last one is the one used last
        self.cookie = f"cartridge_session_{secrets.token_hex(4)}"
        """The name of the cookie."""

    def __len__(self) -> int:
        return len(self._by_key)

    def of(self, request: Request) -> Session | None:
        """The session of the browser that sent the request; None if it has none, or if it has expired."""
        self._forget_idle()
        session = self._by_key.get(request.cookies.get(self.cookie, ""))
        if session is not None:
            session.last_used = self._now()
            self._by_key.move_to_end(session.key)
        return session

    def start(self, request: Request, game: AnalysedGame) -> Session:
        """Give the browser this game instead of its old one."""
        session = self.of(request)
        if session is not None:
            del self._by_key[session.key]
        while len(self._by_key) >= self._limit:
            self._by_key.popitem(last=False)
        key = session.key if session else secrets.token_urlsafe(24)
        self._by_key[key] = Session(key, game, self._now())
        return self._by_key[key]

    def remember(self, response: Response, session: Session) -> Response:
        """Set the cookie for as long as the game is kept. Scripts can't read it, and forms on other sites don't send it.

        A session that is forgotten already gets none; it could take the place of a newer one.
        """
        if session.key in self._by_key:
            seconds = math.ceil(self._idle_seconds)
            response.set_cookie(self.cookie, session.key, max_age=seconds, httponly=True, samesite="lax", path="/")
        return response

    def _forget_idle(self) -> None:
        oldest_allowed = self._now() - self._idle_seconds
        while self._by_key and next(iter(self._by_key.values())).last_used < oldest_allowed:
            self._by_key.popitem(last=False)
