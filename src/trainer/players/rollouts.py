"""The player `rollouts`: UCT with random rollouts, which knows only the rules. The baseline that every game has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.core.errors import ConfigError
from trainer.games import splitmix
from trainer.games.kernels import link_kernels
from trainer.games.positions import Positions
from trainer.players import uct
from trainer.players.base import Played


class RolloutPlayer:
    """Searches each position by UCT (see `uct.py`), with a new tree for each move, on one thread."""

    def __init__(self, env_id: str, simulations: int) -> None:
        """`simulations` before each move, at least 1; each plays one random game. Raises ConfigError for fewer."""
        if simulations < 1:
            raise ConfigError(f"rollouts needs at least 1 simulation before each move, and was given {simulations}")
        self.simulations = simulations
        self.name = f"UCT with {simulations} rollouts"
        self._positions = Positions(env_id, 1)
        self._tree = uct.empty_tree(self._positions.game, simulations)
        self._kernels = link_kernels(env_id, splitmix, uct, warm_up=self._warm_up).uct

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """The best move of each search; each position takes one random number from its generator."""
        seeds = np.array([generator.integers(2**64, dtype=np.uint64) for generator in generators], np.uint64)
        actions = np.zeros(len(positions.states), np.int64)
        max_plies = self._positions.game.max_plies
        self._kernels.choose_all(self._tree, positions.states, seeds, self.simulations, max_plies, actions)
        return actions

    def _warm_up(self, linked: Linked) -> None:
        """Call the kernel once."""
        seeds, actions = np.zeros(1, np.uint64), np.zeros(1, np.int64)
        linked.uct.choose_all(self._tree, self._positions.states, seeds, 1, 1, actions)
