"""Converts games as the search saw them to games as the replay database stores them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from trainer.actor.played import PlayedGame, outcomes_of
from trainer.games.base import WINNER
from trainer.games.positions import Positions
from trainer.replay import Episode


def episodes_of(positions: Positions, played: Sequence[PlayedGame], episode_id: Callable[[int], str]) -> list[Episode]:
    """Games in the form of the replay database, each followed by the positions from inside its searches.

    `positions` are any of the same game; `episode_id` turns a game's number into its id.
    """
    if not played:
        return []
    inside = tree_rows_of(positions, played, episode_id)
    games = games_of(positions, played, episode_id)
    return [episode for game, own in zip(games, inside, strict=True) for episode in (game, *own)]


def games_of(positions: Positions, played: Sequence[PlayedGame], episode_id: Callable[[int], str]) -> list[Episode]:
    """The games alone."""
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
            has_policy=np.ones(len(game.actions), np.bool_),
            values=game.values,
            outcomes=outcomes[begin : end - 1],
        )
        for game, begin, end in zip(played, (ends - lengths).tolist(), ends.tolist(), strict=True)
    ]


def tree_rows_of(
    positions: Positions, played: Sequence[PlayedGame], episode_id: Callable[[int], str]
) -> list[list[Episode]]:
    """The positions from inside the searches of each game. Nobody played on there, so each has an id of its own.

    `<game>-tree-<n>` is from the search of ply n of the game.
    """
    found = [game.tree_rows for game in played]
    if not any(map(len, found)):
        return [[] for _ in played]
    rows = [one for one in found if len(one)]
    before, after = (
        positions.of(np.concatenate(parts)) for parts in ([one.states for one in rows], [one.after for one in rows])
    )
    states = np.stack([before.stored(), after.stored()], axis=1)
    observations = np.stack([before.observation(), after.observation()], axis=1)
    ends = np.cumsum([len(one) for one in found])
    return [
        [
            Episode(
                env_id=positions.game.env_id,
                episode_id=f"{episode_id(game.number)}-tree-{ply}",
                first_ply=ply + int(own.depths[row]),
                states=states[end - len(own) + row],
                observations=observations[end - len(own) + row],
                actions=own.actions[row : row + 1],
                visits=own.visits[row : row + 1],
                has_policy=np.ones(1, np.bool_),
                values=own.values[row : row + 1],
                outcomes=own.values[row : row + 1],
                ended=False,
            )
            for row, ply in enumerate(own.plies.tolist())
        ]
        for game, own, end in zip(played, found, ends.tolist(), strict=True)
    ]
