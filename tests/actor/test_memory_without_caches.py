"""What games get of an actor's memory if its caches need little of it."""

from __future__ import annotations

import pytest

from trainer.actor.memory import GIBIBYTE, actor_memory, within_memory
from trainer.games import game_of
from trainer.settings.groups.self_play import SelfPlaySettings


@pytest.mark.parametrize("cache", [0, 1000])
def test_games_get_the_memory_that_caches_leave(cache: int) -> None:
    """Two threads with room for hundreds of games each: less than one game's memory is left over, and none is missing."""
    game = game_of("othello")
    wanted = SelfPlaySettings(threads=2, games=100_000, simulations=200, cache=cache, memory_gib=0.5)
    settings = within_memory(game, wanted)
    assert settings.games > 100
    assert settings.cache == cache
    assert 0.99 * 0.5 * GIBIBYTE < actor_memory(game, settings).total <= 0.5 * GIBIBYTE
