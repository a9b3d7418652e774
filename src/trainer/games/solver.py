"""A solver: the score of every move of a position under best play.

A score is the mover's: positive if the move wins, 0 if it draws, negative if it loses. A larger score means a faster win
or a slower loss. Its size means nothing else; between positions only the signs of scores can be compared.

A game has a solver if its folder has a module `solver` with a function `solver() -> Solver`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import GameError
from trainer.games import games_with, part_of
from trainer.games.positions import Positions

NOT_LEGAL = -128
"""In place of the score of an illegal move."""

Scores = NDArray[np.int8]


class Solver(Protocol):
    """Knows the score of every move in any unfinished position of one game."""

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere."""


def solver_of(env_id: str) -> Solver:
    """The solver of a game. Raises GameError if the game has none, ConfigError if it is not installed."""
    part = part_of(env_id, "solver")
    if part is None:
        raise GameError(f"{env_id} has no solver; the games that have one are {', '.join(games_with('solver'))}")
    solver: Solver = part.solver()
    return solver
