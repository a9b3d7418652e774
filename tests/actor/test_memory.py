"""An actor plays as many games and caches as many evaluations as fit into --memory-gib."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainer.actor.actor import fitted
from trainer.actor.memory import GIBIBYTE, actor_memory, within_memory
from trainer.games import game_of
from trainer.settings.actor import ActorConfig

CONNECT4 = game_of("connect4")
ASKED = ActorConfig(env_id="connect4")
"""Default settings: 128 games, about 3 MB, and a cache of 15 MB."""


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("memory_gib", [0.01, 0.002, 0.0005])
def test_games_and_caches_take_the_memory_there_is(memory_gib: float, threads: int) -> None:
    """All of it and no more, but for what a thread needs without a game; only these two settings become smaller."""
    asked = replace(ASKED, memory_gib=memory_gib, threads=threads)
    fits = within_memory(CONNECT4, asked)
    assert fits == replace(asked, games=fits.games, cache=fits.cache)
    assert 1 <= fits.games <= asked.games
    assert 0 < fits.cache < asked.cache
    budget = memory_gib * GIBIBYTE
    assert 0.9 * budget < actor_memory(CONNECT4, fits).total <= budget + 1000 * threads


@pytest.mark.parametrize("threads", [1, 3])
def test_settings_that_fit_stay(threads: int) -> None:
    """Also if they take all of the memory, to the byte."""
    asked = replace(ASKED, threads=threads)
    assert within_memory(CONNECT4, asked) == asked
    exact = replace(asked, memory_gib=actor_memory(CONNECT4, asked).total / GIBIBYTE)
    assert exact.memory_gib < asked.memory_gib
    assert within_memory(CONNECT4, exact) == exact


def test_there_is_a_game_whatever_it_takes() -> None:
    """A kilobyte has room for none, and for no cache."""
    fits = within_memory(CONNECT4, replace(ASKED, memory_gib=1e-6))
    assert (fits.games, fits.cache) == (1, 0)


def test_an_actor_says_if_it_plays_fewer_games(caplog: pytest.LogCaptureFixture) -> None:
    """With both numbers and the flag; nothing if all fits."""
    caplog.set_level("INFO")
    assert fitted(ASKED) == ASKED
    assert caplog.messages == []
    fits = fitted(replace(ASKED, memory_gib=0.002))
    assert fits.games < ASKED.games
    assert caplog.messages == [
        f"each thread plays {fits.games} games and caches {fits.cache} evaluations, so that they stay within "
        "--memory-gib 0.002"
    ]
