"""Players that use an evaluator, with and without search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluators.interface import Evaluate
from trainer.games import game_of
from trainer.games.positions import Positions
from trainer.players.base import Played, Player, sample
from trainer.search import Search, SearchConfig
from trainer.search.tree import empty_tree
from trainer.settings.groups.playing import PlayingSettings

MOST_SLOTS = 256
"""The most positions that are searched in parallel."""
MOST_BYTES = 2**30
"""The most memory that the searches of one player may take."""

PLAYING = SearchConfig(policy_temperature=PlayingSettings.policy_temperature)
"""How a model searches outside of self-play. After long training a network is too sure of its first guess. With priors
softened by 1.5 or 2 it makes no more wrong moves in tic-tac-toe, wins 3 of 5 games of Othello against itself without
them, and makes slightly fewer wrong moves in Connect 4 (docs/log.md)."""


@dataclass(frozen=True)
class NetworkPlayer:
    """Plays by an evaluator's prior, without search."""

    name: str
    evaluate: Evaluate
    temperature: float = 0.0

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """The move with the largest prior, or a draw at `temperature`."""
        prior, _ = self.evaluate(positions.observation(), positions.legal())
        return sample(prior, self.temperature, generators)


@dataclass(frozen=True)
class SearchPlayer:
    """Plays by a search with an evaluator; with `trainer.evaluators.uniform` it knows only the rules."""

    name: str
    evaluate: Evaluate
    search: Search
    simulations: int
    temperature: float = 0.0

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """The most visited move, or a draw at `temperature` from the visits."""
        visits, _ = self.search.run(positions.states, self.simulations, self.evaluate)
        return sample(visits, self.temperature, generators)


def side_by_side(env_id: str, positions: int, simulations: int) -> int:
    """How many of some positions are searched in parallel: as many as MOST_BYTES hold, at least one, at most MOST_SLOTS."""
    each = sum(array.nbytes for array in empty_tree(game_of(env_id), 1, simulations))
    return max(1, min(positions, MOST_SLOTS, MOST_BYTES // each))


def model_player(
    name: str,
    env_id: str,
    evaluate: Evaluate,
    simulations: int,
    games: int,
    temperature: float = 0.0,
    config: SearchConfig = PLAYING,
) -> Player:
    """A player with an evaluator, for `games` games in parallel. Without simulations it plays by the raw policy."""
    if simulations == 0:
        return NetworkPlayer(name, evaluate, temperature)
    search = Search(env_id, side_by_side(env_id, games, simulations), simulations, config)
    return SearchPlayer(f"{name} with {simulations} simulations", evaluate, search, simulations, temperature)
