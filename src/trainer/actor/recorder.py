"""Stores finished games and counts what was stored."""

from __future__ import annotations

import logging
import time
from collections import deque
from threading import Event

from trainer.actor.played import PlayedGame
from trainer.actor.sink import GameSink
from trainer.actor.threads import PlayerThreads
from trainer.core.errors import ReplayUnavailableError
from trainer.core.log import Trouble
from trainer.evaluators.interface import Evaluator
from trainer.games import find_game
from trainer.games.base import DRAW, FIRST, SECOND
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import WriteTrouble

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""Time between two attempts to store games while the sink is unavailable."""
RATE_REPORTS = 50
"""Rates are averages over this many transactions, about ten seconds."""


def named(model: Evaluator | None) -> str:
    """What plays, in words."""
    if model is None:
        return "random play"
    return "a model of unknown step" if model.step is None else f"model step {model.step}"


class Recorder:
    """Hands games to the sink and keeps the statistics; only what is stored is counted."""

    def __init__(self, env_id: str, actor_id: str, sink: GameSink, stop: Event) -> None:
        """`stop` ends the wait for an unavailable sink."""
        self.stats = ActorStats(env_id)
        self._model: Evaluator | None = None
        self._actor_id = actor_id
        self._sink = sink
        self._stop = stop
        self._trouble = WriteTrouble()
        self._cut_off = Trouble(log)
        self._started = time.monotonic()
        self._recent = deque([(self._started, 0, 0, 0)], maxlen=RATE_REPORTS)

    def store(self, played: list[PlayedGame], threads: PlayerThreads) -> None:
        """Store the games, then count them."""
        if played:
            self._store(played, threads)
        stats = self.stats
        for game in played:
            stats.episodes_completed += 1
            stats.total_steps += len(game.plies) - 1
            stats.opening_plies += game.first_ply
            winner = game.winner
            stats.player1_wins += winner == FIRST
            stats.player2_wins += winner == SECOND
            stats.draws += winner == DRAW
            if game.cut_off:
                self._cut_off.begin(find_game(stats.env_id).warning_of_long_games("they are stored as draws"))
        now = time.monotonic()
        stats.runtime_seconds = now - self._started
        stats.simulations = threads.simulations
        stats.mcts_avg_inference_us = threads.inference_us
        self._model = threads.model
        stats.model_step = self._model.step if self._model else None
        self._recent.append((now, stats.episodes_completed, stats.total_steps, stats.simulations))
        seconds = max(now - self._recent[0][0], 1e-9)
        newest, oldest = self._recent[-1][1:], self._recent[0][1:]
        rates = [(new - old) / seconds for new, old in zip(newest, oldest, strict=True)]
        stats.episodes_per_second, stats.positions_per_second, stats.simulations_per_second = rates
        self._store_statistics()

    def report(self) -> None:
        """Log the progress in one line."""
        stats = self.stats
        log.info(
            "%s: %d games (%.1f/s), %d positions (%.0f/s), %.0f simulations/s, %s",
            self._actor_id,
            stats.episodes_completed,
            stats.episodes_per_second,
            stats.total_steps,
            stats.positions_per_second,
            stats.simulations_per_second,
            named(self._model),
        )

    def _store(self, played: list[PlayedGame], threads: PlayerThreads) -> None:
        """Store the games. While the sink is unavailable they wait, and so do the players once many games wait.

        Raises ReplayUnavailableError if `stop` is set before they are stored; then those in `threads` are lost, too.
        """
        trouble = Trouble(log)
        while True:
            try:
                self._sink.store(played)
                break
            except ReplayUnavailableError as error:
                if self._stop.is_set():
                    lost = len(played) + threads.waiting
                    raise ReplayUnavailableError(f"{error}; {lost} finished games could not be stored") from error
                trouble.begin(f"{error}; finished games wait until it can")
                self._stop.wait(RETRY_SECONDS)
        trouble.end(f"{self._sink.name} can be written again")

    def _store_statistics(self) -> None:
        """Publish the statistics; if that fails, the next call tries again."""
        with self._trouble.reported():
            self._sink.store_statistics(self.stats)
