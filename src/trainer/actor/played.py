"""A finished game as the search saw it. P plies, S state words, A actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, WINNER, State


@dataclass(frozen=True)
class PlayedGame:
    """A game of P plies, from the end of its random opening on."""

    number: int
    plies: NDArray[Any]
    """[P + 1] records as `moves.ply_record` describes; of the last one only the state counts."""
    visits: NDArray[np.float32]
    """[P, A] the policy targets."""
    first_ply: int = 0
    """Random moves before these plies."""
    cut_off: bool = False
    """It was ended as a draw at the game's `max_plies`, although by its rules it goes on."""

    @property
    def states(self) -> State:
        """uint64 [P + 1, S]"""
        return self.plies["state"]

    @property
    def actions(self) -> NDArray[np.uint32]:
        """[P]"""
        return self.plies["action"][:-1]

    @property
    def values(self) -> NDArray[np.float32]:
        """[P] root values, for the mover; NaN where no search was made."""
        return self.plies["value"][:-1]

    @property
    def winner(self) -> int:
        """FIRST, SECOND or DRAW."""
        return int(self.states[-1, WINNER])


def outcomes_of(states: State, winners: NDArray[np.uint64] | int) -> NDArray[np.float32]:
    """[N] +1 the mover of a position won, 0 draw, -1 lost; `winners`: of each position's game [N], or one for all."""
    won = np.where(states[:, MOVER] == winners, np.float32(1), np.float32(-1))
    return np.where(winners == DRAW, np.float32(0), won)
