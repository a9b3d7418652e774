"""The values that self-play records."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from play import finished

from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.uniform import uniform
from trainer.games.base import Mask
from trainer.settings.groups.self_play import SelfPlaySettings


@pytest.mark.parametrize("gumbel", [False, True])
def test_a_value_that_is_not_proven_is_less_than_one(gumbel: bool) -> None:
    """A network may answer exactly 1 and -1. Three simulations from the first two positions prove nothing, though."""

    def sure(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        prior, _ = uniform(observation, legal)
        first_moves = observation[:, :18].sum(axis=1) % 2 == 0
        return prior, np.where(first_moves, 1, -1).astype(np.float32)

    config = SelfPlaySettings(simulations=3, gumbel=gumbel)
    player = SelfPlay("tictactoe", 8, iter(range(6)), 1, "actor-1", config)
    for game in finished(player, sure).values():
        assert game.values[:2].tolist() == [1 - 2**-24, -(1 - 2**-24)]
