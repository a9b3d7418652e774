"""Converts games as the search saw them to games as the replay database stores them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from trainer.actor.played import PlayedGame, outcomes_of
from trainer.games.base import WINNER
from trainer.games.positions import Positions
from trainer.replay import Episode


def episodes_of(positions: Positions, played: Sequence[PlayedGame], episode_id: Callable[[int], str]) -> list[Episode]:
    """Games in the form of the replay database.

    `positions` are any of the same game; `episode_id` turns a game's number into its id.
    """
    if not played:
        return []
    lengths = [len(game.plies) for game in played]
    ends = np.cumsum(lengths)
    seen = positions.of(np.concatenate([game.states for game in played]))
    states, observations = seen.stored(), seen.observation()
    outcomes = outcomes_of(seen.states, np.repeat(seen.states[ends - 1, WINNER], lengths))
    return [
        Episode(
            env_id=positions.game.env_id,
            episode_id=episode_id(game.number),
            first_ply=game.first_ply,
            states=states[begin:end],
            observations=observations[begin:end],
            actions=game.actions,
            visits=game.visits,
            values=game.values,
            outcomes=outcomes[begin : end - 1],
        )
        for game, begin, end in zip(played, (ends - lengths).tolist(), ends.tolist(), strict=True)
    ]
