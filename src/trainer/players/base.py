"""What a player is, and the simplest one. R positions, A actions.

Each game has its own random generator, so that it can be replayed without the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.games.positions import Positions

RESIGNS = -1
"""What a player may choose in place of an action: it gives the game up."""

Played = Sequence[Sequence[int]]
"""The actions of each of R games, from the first position on."""


class Player(Protocol):
    """Can choose a move in any unfinished position of one game."""

    @property
    def name(self) -> str:
        """The player's name in results."""

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """One legal action, or RESIGNS, for each of R unfinished positions, int64 [R]; row r may draw from `generators[r]`
        only. `played` led to the positions; None: it isn't known, so engines of other programs can't play there."""


@dataclass(frozen=True)
class RandomPlayer:
    """Plays every legal move with the same probability."""

    name: str = "Random"

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """Draw uniformly from the legal moves."""
        return sample(positions.legal().astype(np.float32), 1.0, generators)


def require_played(played: Played | None) -> Played:
    """The moves of the games, for a player that needs them."""
    if played is None:
        raise ValueError("this player can only play games of which all moves are known")
    return played


def sample(
    weights: NDArray[np.float32], temperature: float, generators: Sequence[np.random.Generator]
) -> NDArray[np.int64]:
    """Draw from weights^(1/temperature) in each row of [R, A]; 0 takes the largest weight, the first of equal ones."""
    if temperature == 0:
        best: NDArray[np.int64] = weights.argmax(axis=1)
        return best
    scaled = (weights / weights.max(axis=1, keepdims=True)).astype(np.float64) ** (1 / temperature)
    cumulative = scaled.cumsum(axis=1)
    below_total = np.nextafter(cumulative[:, -1], 0)  # the product below may be rounded up to the total
    drawn = np.array([generator.random() for generator in generators]) * cumulative[:, -1]
    drawn = np.minimum(drawn, below_total)
    chosen: NDArray[np.int64] = (cumulative <= drawn[:, None]).sum(axis=1)
    return chosen
