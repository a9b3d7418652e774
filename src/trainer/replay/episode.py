"""A finished game, and the parameters of the statement that stores it. P plies, A actions."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.replay.database.metadata import Metadata
from trainer.replay.packing import packed_observations, packed_rows

INSERT = files("trainer.replay").joinpath("insert.sql").read_text()
GAMES_AT_ONCE = 256
"""Games per INSERT statement, which holds a copy of their arrays."""


@dataclass(frozen=True)
class Episode:
    """The last P plies of a finished game."""

    env_id: str
    episode_id: str
    states: NDArray[np.uint8]
    """[P + 1, state bytes]; the last one is the final position."""
    observations: NDArray[np.float32]
    """[P + 1, obs_size]"""
    actions: NDArray[np.uint32]
    """[P]"""
    visits: NDArray[np.float32]
    """[P, A] the policy target, which sums to 1 in each row."""
    values: NDArray[np.float32]
    """[P] the search's value for the mover; NaN: there is none, and the outcome is stored in its place."""
    outcomes: NDArray[np.float32]
    """[P] +1 the mover won the game, 0 draw, -1 the mover lost."""
    first_ply: int = 0
    """Plies played before those recorded here."""

    def __len__(self) -> int:
        return len(self.actions)


def arrays_of(episodes: Sequence[Episode], metadata: Metadata) -> dict[str, Any]:
    """The parameters of `insert.sql` for some games, all of the same env_id."""
    plies = np.cumsum([0, *map(len, episodes)]).tolist()
    found = np.concatenate([episode.values for episode in episodes])
    outcomes = np.concatenate([episode.outcomes for episode in episodes])
    values = np.where(np.isnan(found), outcomes, found).tolist()
    games = [
        (episode.episode_id, episode.env_id, episode.first_ply, begin, values[begin:end])
        for episode, begin, end in zip(episodes, plies[:-1], plies[1:], strict=True)
    ]
    states = concatenated([episode.states for episode in episodes], "u1")
    observations: NDArray[Any] = concatenated([episode.observations for episode in episodes], "<f4")
    policies = concatenated([episode.visits for episode in episodes], "<f4")
    if metadata.packed_moves:
        seen = np.concatenate([episode.observations[:-1] for episode in episodes])
        policies = np.ascontiguousarray(packed_rows(policies, seen, metadata), "<f4")
        observations = packed_observations(observations)
    return {
        "games": json.dumps(games),
        "states": states,
        "state_width": states.strides[0],
        "observations": observations,
        "observation_width": observations.strides[0],
        "actions": concatenated([episode.actions for episode in episodes], "<u4"),
        "policies": policies,
        "policy_width": policies.strides[0],
        "outcomes": concatenated([episode.outcomes for episode in episodes], "i1"),
        "now": int(time.time()),
    }


def concatenated(arrays: Sequence[NDArray[Any]], kind: str) -> NDArray[Any]:
    """The rows of several arrays in one, as numbers of a little-endian type ("<f4", "<u4", "u1")."""
    return np.ascontiguousarray(np.concatenate(arrays), kind)
