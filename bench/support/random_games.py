"""Random games in the form in which they are stored."""

from __future__ import annotations

from collections.abc import Iterator

from trainer.actor.episodes import episodes_of
from trainer.actor.selfplay import SelfPlay
from trainer.games.positions import Positions
from trainer.replay import Episode


def random_episodes(env_id: str, numbers: Iterator[int]) -> Iterator[Episode]:
    """One game of random moves for each number, as the actor would store it."""
    player = SelfPlay(env_id, 64, numbers, seed=0, actor_id="bench")
    positions = Positions(env_id, 0)
    while not player.idle:
        yield from episodes_of(positions, player.play_randomly(), "bench-game-{:09d}".format)
