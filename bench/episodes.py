"""Random games in the form in which they are stored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainer.actor.selfplay import SelfPlay
from trainer.games.positions import Positions
from trainer.replay import Episode


def random_episodes(env_id: str, numbers: Iterator[int]) -> Iterator[Episode]:
    """A game for each number, as the actor would store it."""
    player = SelfPlay(env_id, 64, numbers, seed=0, actor_id="bench")
    positions = Positions(env_id, 0)
    while not player.idle:
        for game in player.step(None):
            stored = positions.of(game.states)
            yield Episode(
                env_id=env_id,
                episode_id=f"bench-game-{game.number:09d}",
                states=stored.stored(),
                observations=stored.observation(),
                actions=game.actions,
                visits=game.visits,
                has_policy=np.ones(len(game.actions), np.bool_),
                values=game.values,
                outcomes=game.outcomes,
            )
