"""The player threads of an actor.

Compiled code and ONNX Runtime release the GIL, so threads use all cores; each plays its own games in lockstep.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from threading import Event, Lock, Thread
from types import TracebackType

from trainer.actor.guarded import Clock, GuardedEvaluator
from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.interface import Evaluator, ModelSource

log = logging.getLogger(__name__)

QUEUE_GAMES = 4096
"""Finished games that may wait to be stored; if the disk is slower than the players, they pause."""
QUEUE_BYTES = 512 * 1024**2
"""Bytes that the stored observations of waiting games may take."""
STOPPED_SECONDS = 2.0
"""A step in which the process computed this much less than the time that passed was interrupted, as by Ctrl-Z."""


class Finished:
    """Finished games that wait to be stored. Several threads may use it."""

    def __init__(self, most_games: int, most_positions: int) -> None:
        """Full at this many games or positions. `put` never refuses."""
        self._most = most_games, most_positions
        self._games: list[PlayedGame] = []
        self._positions = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """Games that wait."""
        return len(self._games)

    @property
    def full(self) -> bool:
        """Whether players should pause."""
        return len(self) >= self._most[0] or self._positions >= self._most[1]

    def put(self, game: PlayedGame) -> None:
        """Add a game."""
        with self._lock:
            self._games.append(game)
            self._positions += len(game.plies)

    def take(self) -> list[PlayedGame]:
        """Take out all games, the oldest first."""
        with self._lock:
            games, self._games, self._positions = self._games, [], 0
        return games


class EpisodeNumbers(Iterator[int]):
    """The numbers from `first` up to, but not including, `last` (None: no end), each given to one thread."""

    def __init__(self, first: int, last: int | None) -> None:
        self._next, self._last = first, last
        self._lock = Lock()

    def __next__(self) -> int:
        with self._lock:
            if self._last is not None and self._next >= self._last:
                raise StopIteration
            self._next += 1
            return self._next - 1


class PlayerThreads:
    """Threads that play until the `with` block ends or there is nothing left to play; one `SelfPlay` each."""

    def __init__(
        self,
        players: list[SelfPlay],
        models: ModelSource,
        obs_size: int,
        game_timeout: float = 0.0,
        wait_for_model: bool = False,
    ) -> None:
        """`obs_size`: that of the game. Games that take longer than `game_timeout` seconds are abandoned; 0: never.
        `wait_for_model`: pause while there is no model, instead of playing at random."""
        self._players = players
        self._models = models
        self._game_timeout = game_timeout
        self._wait_for_model = wait_for_model
        self._stop = Event()
        self._finished = Finished(QUEUE_GAMES, QUEUE_BYTES // (4 * obs_size))
        self._failure: Exception | None = None
        self._clocks = [Clock() for _ in players]
        work = zip(players, self._clocks, strict=True)
        self._threads = [Thread(target=self._work, args=player_and_clock, daemon=True) for player_and_clock in work]

    def __enter__(self) -> PlayerThreads:
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
    def running(self) -> bool:
        """Whether a thread still plays."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def model(self) -> Evaluator | None:
        """The model in use; None if there is none."""
        return self._models.current

    @property
    def waiting(self) -> int:
        """Finished games that `collect` has not taken yet."""
        return len(self._finished)

    @property
    def simulations(self) -> int:
        """Simulations done by all threads."""
        return sum(player.search.simulations_done for player in self._players)

    @property
    def inference_us(self) -> float:
        """Mean microseconds per row of the batches that models were called with; see `Clock`."""
        positions = sum(clock.positions for clock in self._clocks)
        return 1e6 * sum(clock.seconds for clock in self._clocks) / positions if positions else 0.0

    def collect(self, seconds: float) -> list[PlayedGame]:
        """Wait that long, or until no thread plays any more; then take all finished games."""
        end = time.monotonic() + seconds
        while self.running and time.monotonic() < end and not self._finished.full:
            self._stop.wait(min(0.05, seconds))
        return self._finished.take()

    def raise_failure(self) -> None:
        """Raise the error that ended a thread, if one did."""
        if self._failure is not None:
            raise self._failure

    def _work(self, player: SelfPlay, clock: Clock) -> None:
        """What one thread does."""
        try:
            next_look = time.monotonic() + 1.0
            evaluator: GuardedEvaluator | None = None
            while not self._stop.is_set():
                model = self._models.current
                if model is None and self._wait_for_model:  # the only one failed in use
                    player.excuse(self._pause())
                    continue
                if model is None:
                    games = player.play_randomly()
                else:
                    if evaluator is None or evaluator.model is not model:
                        evaluator = GuardedEvaluator(self._models, model, clock)
                    began = time.monotonic() - time.process_time()
                    games = player.step(evaluator)
                    stopped = time.monotonic() - time.process_time() - began
                    if stopped > STOPPED_SECONDS:
                        player.excuse(stopped)
                for game in games:
                    self._finished.put(game)
                while self._finished.full and not self._stop.is_set():
                    player.excuse(self._pause())
                if player.idle:
                    return
                if self._game_timeout and time.monotonic() > next_look:
                    next_look = time.monotonic() + 1.0
                    for number in player.give_up(self._game_timeout):
                        log.warning("game %d took longer than %g s and was abandoned", number, self._game_timeout)
            for game in player.take_finished():
                self._finished.put(game)
        except Exception as error:  # the main thread raises it
            self._failure = error
            self._stop.set()

    def _pause(self) -> float:
        """Wait a moment, or until the stop; returns how many seconds it was."""
        began = time.monotonic()
        self._stop.wait(0.05)
        return time.monotonic() - began
