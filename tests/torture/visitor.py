"""Somebody who uses the page: calls its API over a real connection, keeps the cookie."""

from __future__ import annotations

import http.client
import json
import random
import threading
from typing import Any

from waiting import PATIENCE


class Visitor:
    """One browser at a server on this machine."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.cookie = ""
        self.answers = 0

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status and the content of an answer. Raises OSError or HTTPException where there is none."""
        sent = {"cookie": self.cookie} | (headers or {})
        try:
            self._connection.request(method, path, body or None, sent)
            answer = self._connection.getresponse()
            content = answer.read()
        except BaseException:
            self._connection.close()  # the next request opens another
            raise
        self.answers += 1
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer.status, content

    def json(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        """The object that a good request is answered by."""
        status, content = self.ask(method, path, json.dumps(fields).encode() if fields else b"")
        assert status == 200, (method, path, status, content)
        found: dict[str, Any] = json.loads(content)
        return found

    def look_around(self, generator: random.Random) -> None:
        """Everything that the page calls: figures, stored games, a game played to its end."""
        for path in ("/health", "/runs", "/stats", "/actor-stats", "/model", "/game/state", "/game/moves"):
            self.json("GET", path)
        games = self.json("GET", "/replay/games")["games"]
        if games:
            self.json("GET", f"/replay/game?episode={generator.choice(games)['episode_id']}")
        state = self.json("POST", "/game/new", first=generator.choice(["player", "bot"]), simulations=50)
        while not state["game_over"]:
            self.json("GET", "/game/analysis")
            state = self.json("POST", "/move", position=generator.choice(state["legal_moves"]))

    def close(self) -> None:
        """Leave."""
        self._connection.close()


class Crowd:
    """Visitors who look around until the server is gone."""

    def __init__(self, port: int, size: int) -> None:
        self._visitors = [Visitor(port) for _ in range(size)]
        self.failures: list[AssertionError] = []
        self._threads = [
            threading.Thread(target=self._visit, args=pair, daemon=True) for pair in enumerate(self._visitors)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def answers(self) -> int:
        """How many answers they have got so far."""
        return sum(visitor.answers for visitor in self._visitors)

    def _visit(self, number: int, visitor: Visitor) -> None:
        generator = random.Random(number)
        try:
            while True:
                visitor.look_around(generator)
        except (OSError, http.client.HTTPException):
            visitor.close()
        except AssertionError as error:
            self.failures.append(error)

    def join(self) -> int:
        """Wait until all have left; returns how many answers they got. Raises what was wrong with an answer."""
        for thread in self._threads:
            thread.join()
        for failure in self.failures:
            raise failure
        return self.answers
