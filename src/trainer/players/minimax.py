"""The player that looks a few plies ahead and then counts: the yardstick for models, and an opponent without any."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.core.errors import GameError
from trainer.games.connect4 import heuristic as fours
from trainer.games.othello import heuristic as mobility
from trainer.games.kernels import link_kernels
from trainer.games.positions import Positions
from trainer.players import alphabeta


class Minimax(NamedTuple):
    """What minimax needs to know of a game beside its rules."""

    heuristic: ModuleType
    depth: int


MINIMAX = {"connect4": Minimax(fours, depth=5), "othello": Minimax(mobility, depth=6)}
"""The games that it plays."""


class MinimaxPlayer:
    """Alpha-beta search to a fixed depth; the same position is always answered by the same move."""

    def __init__(self, env_id: str, depth: int | None = None) -> None:
        """`depth` in plies, at least 1; None: the game's default. Raises GameError for a game without a heuristic."""
        if env_id not in MINIMAX:
            raise GameError(f"minimax has no heuristic for {env_id}; it plays {', '.join(MINIMAX)}")
        self.depth = depth or MINIMAX[env_id].depth
        self.name = f"Minimax({self.depth} plies)"
        self._states = Positions(env_id, 1).states
        linked = link_kernels(env_id, alphabeta, heuristic=MINIMAX[env_id].heuristic, warm_up=self._warm_up)
        self._choose_all = linked.alphabeta.choose_all

    def choose(self, positions: Positions, generators: Sequence[np.random.Generator]) -> NDArray[np.int64]:
        """The best move at the horizon, the first of equals in the heuristic's order."""
        actions = np.zeros(len(positions.states), np.int64)
        self._choose_all(positions.states, self.depth, actions)
        return actions

    def _warm_up(self, linked: Linked) -> None:
        """Call the kernel once."""
        linked.alphabeta.choose_all(self._states, 1, np.zeros(1, np.int64))
