"""From games as the search saw them to games as the replay database stores them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainer.actor.selfplay import Played
from trainer.games.positions import Positions
from trainer.replay import Episode


def episodes_of(positions: Positions, played: list[Played], episode_id: Callable[[int], str]) -> list[Episode]:
    """Games as the contract wants them, of any number of `positions` of the same game; `episode_id` of a game's number."""
    if not played:
        return []
    seen = positions.of(np.concatenate([game.states for game in played]))
    states, observations = seen.stored(), seen.observation()
    ends = np.cumsum([len(game.states) for game in played]).tolist()
    return [
        Episode(
            env_id=positions.game.env_id,
            episode_id=episode_id(game.number),
            first_ply=game.first_ply,
            states=states[end - len(game.states) : end],
            observations=observations[end - len(game.states) : end],
            actions=game.actions,
            visits=game.visits,
            has_policy=game.full,
            values=game.values,
            outcomes=game.outcomes,
        )
        for game, end in zip(played, ends, strict=True)
    ]
