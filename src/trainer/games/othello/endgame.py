"""Endgames of Othello solved exactly: the score of every move, if few cells are empty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.core.errors import GameError
from trainer.games.kernels import link_kernels
from trainer.games.othello import endgame_search
from trainer.games.othello.rules import GAME
from trainer.games.positions import Positions
from trainer.games.solving.solver import NOT_LEGAL, Scores
from trainer.games.state_blob import parts_of

MOST_EMPTY = 16
"""Positions with more empty cells than this take too long."""


class EndgameSolver:
    """Scores of moves in positions with at most MOST_EMPTY empty cells.

    A score is the final difference in discs under best play, from -64 to 64, and the winner also gets the empty cells.
    """

    def __init__(self) -> None:
        """Compile the search."""
        self._line = endgame_search.empty_line(MOST_EMPTY)
        self._kernels = link_kernels(GAME.env_id, endgame_search, warm_up=self._warm_up).endgame_search

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere.

        A row takes about 20 milliseconds with 12 empty cells, and three times as long with each further one. Raises
        GameError for a position with more than MOST_EMPTY.
        """
        empty = empty_cells(positions)
        if (empty > MOST_EMPTY).any():
            raise GameError(
                f"a position of {GAME.env_id} has {empty.max()} empty cells; only those with at most {MOST_EMPTY} are solved"
            )
        scores = np.full((len(positions.states), GAME.num_actions), NOT_LEGAL, np.int8)
        self._kernels.score_all(self._line, positions.states, scores)
        return scores

    def _warm_up(self, linked: Linked) -> None:
        """Call the kernel once."""
        linked.endgame_search.score_all(
            self._line, np.zeros((0, GAME.state_words), np.uint64), np.zeros((0, GAME.num_actions), np.int8)
        )


def empty_cells(positions: Positions) -> NDArray[np.int64]:
    """[R] how many cells are empty."""
    empty: NDArray[np.int64] = (parts_of(GAME, positions.stored()).cells == 0).sum(axis=1)
    return empty
