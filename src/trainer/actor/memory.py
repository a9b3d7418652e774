<<<<<<< HEAD
"""How much memory self-play takes, and how many games fit into what it may take."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.actor.moves import ply_record
from trainer.games.base import Game
from trainer.search.cache import empty_cache
from trainer.search.tree import EDGE, NODE

GIBIBYTE = 2**30
SHARE_OF_GAMES = 0.6
"""Share of the memory that trees and games may take; the rest is for caches."""


@dataclass(frozen=True)
class Plan:
    """What one thread allocates."""

    games: int
    """Games that it plays side by side."""
    cache: int
    """Evaluations that it caches."""
    bytes: int
    """What both take."""


def bytes_per_game(game: Game, simulations: int) -> int:
    """The memory of a game in progress: its search tree, the record of its plies, and its row of each batch."""
    tree = (simulations + 2) * (NODE.itemsize + 8 * game.state_words) + (
        (simulations + 1) * game.most_moves + 1
    ) * EDGE.itemsize
    plies = (game.max_plies + 1) * ply_record(game).itemsize
    batch = 4 * (game.obs_size + 4 * game.num_actions)
    return tree + plies + batch


def bytes_per_entry(game: Game) -> int:
    """The memory of a cached evaluation."""
    return empty_cache(game, 1).entries.itemsize


def plan(game: Game, simulations: int, games: int, cache: int, threads: int, gibibytes: float) -> Plan:
    """At most `games` games and `cache` entries per thread, so that all threads together stay within `gibibytes`.

    There is at least one game, whatever it takes.
    """
    budget = gibibytes * GIBIBYTE / threads
    each, entry = bytes_per_game(game, simulations), bytes_per_entry(game)
    fitting = max(1, min(games, int(SHARE_OF_GAMES * budget / each)))
    entries = max(0, min(cache, int((budget - fitting * each) / entry)))
    return Plan(fitting, entries, fitting * each + entries * entry)
=======
"""How much memory an actor will need, before it takes any."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.actor.selfplay import allocate
from trainer.games.base import Game
from trainer.search.cache import empty_cache
from trainer.search.tree import empty_tree
from trainer.settings.self_play import SelfPlaySettings


@dataclass(frozen=True)
class ActorMemory:
    """Bytes of one thread of an actor, if its searches and games become as large as they can."""

    trees: int
    cache: int
    games: int
    """The records of the plies of games in progress."""
    batches: int
    """Positions that wait for the network, and its answers."""
    threads: int = 1

    @property
    def total(self) -> int:
        """Bytes of all threads; Python and the libraries need some 200 MB more."""
        return self.threads * (self.trees + self.cache + self.games + self.batches)


def actor_memory(game: Game, settings: SelfPlaySettings | None = None) -> ActorMemory:
    """The prediction, from the types of the arrays that an actor allocates."""
    settings = settings or SelfPlaySettings()
    slots = settings.games
    numbers = game.obs_size + 2 * game.num_actions + 1  # float32: the observation, logits, prior, value
    return ActorMemory(
        trees=grown(lambda count: empty_tree(game, count, settings.simulations), slots),
        cache=grown(lambda count: empty_cache(game, count), settings.cache),
        games=grown(lambda count: allocate(game, count), slots),
        batches=slots * (4 * numbers + game.num_actions),
        threads=settings.threads,
    )


def grown(make: Callable[[int], Iterable[Any]], count: int) -> int:
    """Bytes of the arrays that `make(count)` would return, from those of `make(1)` and `make(2)`."""
    one, two = (sum(array.nbytes for array in make(number) if isinstance(array, np.ndarray)) for number in (1, 2))
    return one + (two - one) * (count - 1)
>>>>>>> 53a3a72 (Checks of a game's rules, first version)
