"""Finished games are stored once and counted once, whatever happens to the sink."""

from __future__ import annotations

import logging
import threading
from errno import ENOSPC
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from trainer.actor.played import PlayedGame
from trainer.actor.recorder import Recorder, named
from trainer.actor.sink import GameSink
from trainer.actor.threads import PlayerThreads
from trainer.core.errors import ReplayUnavailableError
from trainer.evaluators.interface import Evaluator
from trainer.run.actor_stats import ActorStats


class Unavailable:
    """A sink that can't be written to for a while."""

    name = "the sink"

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.offered: list[list[PlayedGame]] = []
        self.counted: list[int] = []

    def store(self, played: list[PlayedGame]) -> None:
        """Fail so many times, then take everything."""
        self.offered.append(list(played))
        if len(self.offered) <= self.failures:
            raise ReplayUnavailableError("full")

    def store_statistics(self, stats: ActorStats) -> None:
        """Fail the first two times."""
        self.counted.append(stats.episodes_completed)
        if len(self.counted) <= 2:
            raise OSError(ENOSPC, "No space left on device")


def threads_with(waiting: int) -> PlayerThreads:
    """Player threads that have so many finished games, and did nothing else."""
    return cast(PlayerThreads, SimpleNamespace(simulations=0, inference_us=0.0, model=None, waiting=waiting))


def finished(number: int, cut_off: bool = False) -> PlayedGame:
    """A finished game of one ply."""
    return PlayedGame(number, np.zeros(2, [("state", np.uint64, 11)]), np.zeros((1, 9), np.float32), cut_off=cut_off)


def recorded(sink: Unavailable, stop: threading.Event) -> Recorder:
    """A recorder that has been given a finished game."""
    recorder, threads = Recorder("tictactoe", "a", cast(GameSink, sink), stop), threads_with(waiting=0)
    recorder.store([finished(7)], threads)
    recorder.store([], threads)
    recorder.store([], threads)
    return recorder


def test_games_wait_for_a_sink_and_are_counted_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two attempts fail, the third stores the same games. What can't be written of the statistics is said once."""
    monkeypatch.setattr("trainer.actor.recorder.RETRY_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    sink = Unavailable(2)
    recorder = recorded(sink, threading.Event())
    assert [[game.number for game in games] for games in sink.offered] == [[7]] * 3
    assert recorder.stats.episodes_completed == 1
    assert [message.partition(" ")[0] for message in caplog.messages] == ["full;", "the", "can't"]


def test_games_that_outlast_their_promise_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """They are stored as draws, which a misspelt `max_plies` would otherwise do in silence."""
    recorder = Recorder("tictactoe", "a", cast(GameSink, Unavailable(0)), threading.Event())
    recorder.store([finished(number, cut_off=number > 0) for number in range(3)], threads_with(waiting=0))
    warnings = [message for message in caplog.messages if "max_plies" in message]
    assert warnings == [
        "tictactoe has games that are longer than its max_plies of 9; they are stored as draws; "
        "raise that in the game's file, or let play end such games"
    ]


def test_games_that_can_not_be_stored_before_a_stop_are_an_error() -> None:
    """With their number, those included that players have finished meanwhile: 2 + 3."""
    stop = threading.Event()
    stop.set()
    recorder = Recorder("tictactoe", "a", cast(GameSink, Unavailable(1)), stop)
    with pytest.raises(ReplayUnavailableError, match="full; 5 finished games could not be stored"):
        recorder.store([finished(0), finished(1)], threads_with(waiting=3))


def test_a_model_that_does_not_say_its_step_is_no_random_play() -> None:
    """Models of other programs may have no metadata."""
    models = [None, SimpleNamespace(step=None), SimpleNamespace(step=7)]
    assert [named(cast(Evaluator | None, model)) for model in models] == [
        "random play",
        "a model of unknown step",
        "model step 7",
    ]
