"""The solver of Connect 4: `bitbully`, an optional extra because its licence is the AGPL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.core.packages import import_package
from trainer.games.base import MOVER
from trainer.games.connect4.rules import GAME, STONES
from trainer.games.positions import Positions
from trainer.games.solving.solver import NOT_LEGAL, Scores

IMPOSSIBLE = -100
"""bitbully's score of a full column is below this."""


def solver(_env_id: str) -> BitBullySolver:
    """The solver. Raises ConfigError if it is not installed."""
    return BitBullySolver()


class BitBullySolver:
    """Scores by bitbully, with its opening book of 12 plies.

    A win with the winner's n-th disc scores 22 - n for the winner: 18 with the fourth, 1 with the last.
    """

    def __init__(self) -> None:
        """Load the solver. Raises ConfigError, with the command that installs it, if it is missing."""
        bitbully = import_package("bitbully", "bitbully", "the solver of Connect 4 needs bitbully")
        self._board = bitbully.bitbully_core.BoardCore()
        self._solver = bitbully.BitBully()._core

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere.

        A row takes milliseconds, but 100 of them with 12 to 14 discs on the board.
        """
        scores = np.full((len(positions.states), GAME.num_actions), NOT_LEGAL, np.int8)
        for row, state in enumerate(positions.states):
            stones = [int(word) for word in state[STONES:]]  # the bits are in bitbully's order
            own, occupied = stones[int(state[MOVER]) - 1], stones[0] | stones[1]
            self._board.setRawState(occupied, own, GAME.num_cells - occupied.bit_count())
            found = np.array(self._solver.scoreMoves(self._board))
            scores[row] = np.where(found < IMPOSSIBLE, NOT_LEGAL, found)
        return scores


def plies_to_end(scores: Scores, plies: NDArray[np.int64]) -> NDArray[np.int64]:
    """[R] how many more plies best play lasts, given the scores [R, A] of the moves after `plies` [R] plies.

    A drawn game lasts until the board is full.
    """
    best = scores.max(axis=1).astype(np.int64)
    winners_disc = 22 - np.abs(best)
    first_wins = (best > 0) == (plies % 2 == 0)
    end = np.where(best == 0, GAME.max_plies, np.where(first_wins, 2 * winners_disc - 1, 2 * winners_disc))
    return end - plies
