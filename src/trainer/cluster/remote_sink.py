"""Sends an actor's games and statistics to a hub."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict

from trainer.actor.played import PlayedGame
from trainer.cluster.roster import Statistics
from trainer.cluster.shipment import pack, shipments_of
from trainer.cluster.transport import Transport
from trainer.core.errors import ReplayUnavailableError
from trainer.games.base import Game
from trainer.run.actor_stats import RATES, ActorStats

REPORT_SECONDS = 1.0
"""Time between two reports of a player that sends no games."""
WINDOW_SECONDS = 10.0
"""Back-pressure is an average over about this time."""


class RemoteSink:
    """Sends finished games as numbered shipments, one at a time; each is sent until it is acknowledged.

    Waiting for the acknowledgement is the back-pressure: a player can't run ahead of its hub by more than the games that
    `PlayerThreads` lets wait.
    """

    def __init__(
        self,
        transport: Transport,
        name: str,
        game: Game,
        first_number: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` is that of the player; `first_number` of its first game, as the hub assigned it. `clock` tells seconds."""
        self.name = "the hub"
        self.sender = f"{name}-{secrets.token_hex(4)}"  # another one for each process, so numbers begin at 1
        self._transport = transport
        self._game = game
        self._first_number = first_number
        self._clock = clock
        self._unsent: deque[Sequence[PlayedGame]] = deque()
        self._batch: list[PlayedGame] = []
        self._number = 1
        self._statistics: Statistics | None = None
        self._next_report = clock()
        self._waits: deque[tuple[float, float]] = deque()  # when a call began, and when it ended

    def first_free_number(self) -> int:
        """The number of this player's first game."""
        return self._first_number

    def store(self, games: Sequence[PlayedGame]) -> None:
        """Return once the hub has stored all these games. Raises ReplayUnavailableError if that isn't possible now.

        The next call first sends what is left, and then its own games, unless they are the same ones again. Until the hub
        stores games again, it is told that this player makes none, and waits all the time.
        """
        again = len(games) == len(self._batch) and all(a is b for a, b in zip(games, self._batch, strict=True))
        if not again:
            self._batch = list(games)
            self._unsent.extend(shipments_of(self._batch))
        while self._unsent:
            content = pack(self._unsent[0], self._game)
            try:
                with self._reaching():
                    self._transport.store(self.sender, self._number, content, self._statistics)
            except ReplayUnavailableError:
                if self._statistics is not None:
                    self._statistics = {**self._statistics, **dict.fromkeys(RATES, 0.0), "back_pressure": 1.0}
                raise
            self._unsent.popleft()
            self._number += 1
        self._batch = []

    def store_statistics(self, statistics: ActorStats) -> None:
        """Report what the actor did: with the next shipment, or now if the last report was a while ago."""
        self._statistics = asdict(statistics) | {"back_pressure": self.back_pressure}
        if self._clock() >= self._next_report:
            with suppress(ReplayUnavailableError), self._reaching():
                self._transport.report(self.sender, self._statistics)

    @property
    def back_pressure(self) -> float:
        """Share of the last seconds, 0 to 1, in which a call waited for the hub."""
        since = self._clock() - WINDOW_SECONDS
        while self._waits and self._waits[0][1] < since:
            self._waits.popleft()
        return min(1.0, sum(ended - max(began, since) for began, ended in self._waits) / WINDOW_SECONDS)

    def close(self) -> None:
        """Report the last time."""
        if self._statistics is not None:
            with suppress(ReplayUnavailableError), self._reaching():
                self._transport.report(self.sender, self._statistics)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Time a call to the hub. A call without an answer becomes a ReplayUnavailableError."""
        began = self._clock()
        try:
            yield
        except (ConnectionError, TimeoutError) as error:
            raise ReplayUnavailableError(f"the hub can't be reached ({str(error) or type(error).__name__})") from error
        finally:
            now = self._clock()
            self._waits.append((began, now))
            self._next_report = now + REPORT_SECONDS
