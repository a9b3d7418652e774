"""The threads that play.

Compiled code and ONNX Runtime release the GIL, so threads use the cores; each plays its own games in lockstep.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterator
from threading import Event, Lock, Thread
from types import TracebackType

from trainer.actor.selfplay import Played, SelfPlay
from trainer.actor.timed_model import Clock, TimedModel
from trainer.evaluators.hot_reload import ModelFile

log = logging.getLogger(__name__)

QUEUE_GAMES = 4096
"""Finished games that may wait to be stored; players pause when the disk is slower than they are."""


class Numbers(Iterator[int]):
    """The numbers from `first` up to, but not including, `last`, each drawn by one thread; None: no end."""

    def __init__(self, first: int, last: int | None) -> None:
        self._next, self._last = first, last
        self._lock = Lock()

    def __next__(self) -> int:
        with self._lock:
            if self._last is not None and self._next >= self._last:
                raise StopIteration
            self._next += 1
            return self._next - 1


class Crew:
    """Threads that play until the block ends or there is nothing left to play; one `SelfPlay` each."""

    def __init__(self, players: list[SelfPlay], model: ModelFile, game_timeout: float = 0.0) -> None:
        """Games that take longer than `game_timeout` seconds are given up; 0 = never."""
        self._players = players
        self._model = model
        self._game_timeout = game_timeout
        self._stop = Event()
        self._finished: queue.SimpleQueue[Played] = queue.SimpleQueue()
        self._failure: Exception | None = None
        self._clocks = [Clock() for _ in players]
        work = zip(players, self._clocks, strict=True)
        self._threads = [Thread(target=self._work, args=player_and_clock, daemon=True) for player_and_clock in work]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def at_work(self) -> bool:
        """A thread still plays."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def model_step(self) -> int | None:
        """Training step of the model in use; None while there is none, or where it doesn't say."""
        return self._model.current.step if self._model.current else None

    @property
    def simulations(self) -> int:
        """Simulations done by all threads."""
        return sum(player.search.simulations_done for player in self._players)

    @property
    def inference_us(self) -> float:
        """Mean microseconds that the evaluation of a position took."""
        positions = sum(clock.positions for clock in self._clocks)
        return 1e6 * sum(clock.seconds for clock in self._clocks) / positions if positions else 0.0

    def collect(self, seconds: float) -> list[Played]:
        """Wait so long, or until nobody plays any more; then take all the games that are finished."""
        end = time.monotonic() + seconds
        while self.at_work and time.monotonic() < end and self._finished.qsize() < QUEUE_GAMES:
            self._stop.wait(min(0.05, seconds))
        played: list[Played] = []
        while not self._finished.empty():
            played.append(self._finished.get())
        return played

    def raise_failure(self) -> None:
        """Raise what ended a thread, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _work(self, player: SelfPlay, clock: Clock) -> None:
        """The life of one thread."""
        try:
            next_look = time.monotonic() + 1.0
            evaluate: TimedModel | None = None
            while not self._stop.is_set():
                model = self._model.current
                if evaluate is None or evaluate.model is not model:
                    evaluate = TimedModel(self._model, model, clock)
                for game in player.step(
                    evaluate if model else None, model.progress if model else 0.0, evaluate.network
                ):
                    self._hand_over(game)
                if player.idle:
                    return
                if self._game_timeout and time.monotonic() > next_look:
                    next_look = time.monotonic() + 1.0
                    for number in player.give_up(self._game_timeout):
                        log.warning("game %d took longer than %g s and was given up", number, self._game_timeout)
        except Exception as error:  # the worker's top: the main thread raises it
            self._failure = error
            self._stop.set()

    def _hand_over(self, game: Played) -> None:
        """Queue a finished game, and pause while too many wait there."""
        self._finished.put(game)
        while self._finished.qsize() > QUEUE_GAMES and not self._stop.is_set():
            self._stop.wait(0.05)
