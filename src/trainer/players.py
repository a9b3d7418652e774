"""Who chooses a move. A player answers for many positions at once: `choose(positions, generators) -> actions`.

Each game brings its own random generator, so a game can be replayed without the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.games.positions import Positions
from trainer.mcts import Evaluate, Search


class Player(Protocol):
    """Somebody who can move in any unfinished position of one game."""

    @property
    def name(self) -> str:
        """How results call the player."""

    def choose(self, positions: Positions, generators: Sequence[np.random.Generator]) -> NDArray[np.int64]:
        """One legal action for each of R unfinished positions, int64 [R]; game r draws from `generators[r]` only."""


@dataclass(frozen=True)
class RandomPlayer:
    """Every legal move alike."""

    name: str = "Random"

    def choose(self, positions: Positions, generators: Sequence[np.random.Generator]) -> NDArray[np.int64]:
        """A uniform draw among the legal moves."""
        return sample(positions.legal().astype(np.float32), 1.0, generators)


@dataclass(frozen=True)
class NetworkPlayer:
    """The raw policy of a model, without search."""

    name: str
    evaluate: Evaluate
    temperature: float = 0.0

    def choose(self, positions: Positions, generators: Sequence[np.random.Generator]) -> NDArray[np.int64]:
        """The move with the largest prior, or a draw at `temperature`."""
        prior, _ = self.evaluate(positions.observation(), positions.legal())
        return sample(prior, self.temperature, generators)


@dataclass(frozen=True)
class SearchPlayer:
    """Search with any evaluator; with `inference.uniform` it knows only the rules."""

    name: str
    evaluate: Evaluate
    search: Search
    simulations: int
    temperature: float = 0.0

    def choose(self, positions: Positions, generators: Sequence[np.random.Generator]) -> NDArray[np.int64]:
        """The most visited move, or a draw at `temperature` from the visits."""
        visits, _ = self.search.run(positions.states, self.simulations, self.evaluate)
        return sample(visits, self.temperature, generators)


def sample(
    weights: NDArray[np.float32], temperature: float, generators: Sequence[np.random.Generator]
) -> NDArray[np.int64]:
    """Draw from weights^(1/temperature) in each row of [R, A]; temperature 0 takes the largest, the first of equals."""
    if temperature == 0:
        best: NDArray[np.int64] = weights.argmax(axis=1)
        return best
    scaled = (weights / weights.max(axis=1, keepdims=True)).astype(np.float64) ** (1 / temperature)
    cumulative = scaled.cumsum(axis=1)
    below_total = np.nextafter(cumulative[:, -1], 0)  # a product may be rounded up to the total itself
    drawn = np.array([generator.random() for generator in generators]) * cumulative[:, -1]
    drawn = np.minimum(drawn, below_total)
    chosen: NDArray[np.int64] = (cumulative <= drawn[:, None]).sum(axis=1)
    return chosen
