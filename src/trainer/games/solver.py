"""A solver: the score of every move of a position under best play.

A score is the mover's: positive where the move wins, 0 where it draws, negative where it loses. A larger score is a faster
win or a slower loss; its size means nothing else, and scores of different positions are compared by their signs only.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import GameError
from trainer.games.positions import Positions

NOT_LEGAL = -128
"""Stands where a move may not be played."""
SOLVED_GAMES = ("tictactoe", "connect4")
"""The games that have a solver."""

Scores = NDArray[np.int8]


class Solver(Protocol):
    """Knows every move's score in any unfinished position of one game."""

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere."""


def solver_of(env_id: str) -> Solver:
    """The solver of a game. Raises GameError for a game without one, ConfigError where it is not installed."""
    if env_id == "tictactoe":
        from trainer.games.exhaustive import ExhaustiveSolver

        return ExhaustiveSolver(env_id)
    if env_id == "connect4":
        from trainer.games.connect4.solver import BitBullySolver

        return BitBullySolver()
    raise GameError(f"{env_id} has no solver; the games that have one are {', '.join(SOLVED_GAMES)}")
