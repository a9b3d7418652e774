"""The player that asks a model, at once or through search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.games.positions import Positions
from trainer.players.base import Player, sample
from trainer.search import Evaluate, Search, SearchConfig

MOST_SLOTS = 256
"""Positions that are searched side by side, at most."""

PLAYING = SearchConfig(policy_temperature=1.5)
"""How a model searches when it counts. A network that was trained for long is too sure of its first guess: softened it
has no error left in tic-tac-toe, wins 3 of 5 games of Othello against itself unsoftened, and is no worse in Connect 4."""


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


def model_player(
    name: str, env_id: str, evaluate: Evaluate, simulations: int, games: int, temperature: float = 0.0
) -> Player:
    """A model's raw policy where `simulations` is 0, else its search; `games` is how many it will play side by side."""
    if simulations == 0:
        return NetworkPlayer(name, evaluate, temperature)
    search = Search(env_id, min(games, MOST_SLOTS), simulations, PLAYING)
    return SearchPlayer(f"{name} with {simulations} simulations", evaluate, search, simulations, temperature)
