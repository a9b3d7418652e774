"""A solver: the score of every move of a position under best play.

A score is the mover's: positive if the move wins, 0 if it draws, negative if it loses. A larger score means a faster win
or a slower loss; where games are of the same length, more of what is counted: discs in Othello, boxes in dots and boxes. Its
size means nothing else; between positions only the signs of scores can be compared.

A game's folder can have a module `solver` with a function `solver(env_id) -> Solver`, which raises GameError for parameters
with which it can't solve the game. Games without one are solved by visiting all of their positions, if there aren't too
many: see `trainer.games.solving.exhaustive`.

A solver that has an attribute `quick = True` is also used during a run, to count wrong moves. It must score 100,000
positions in a few seconds.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.games.positions import Positions

NOT_LEGAL = -128
"""In place of the score of an illegal move."""

Scores = NDArray[np.int8]


class Solver(Protocol):
    """Knows the score of every move in any unfinished position of one game."""

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere."""
