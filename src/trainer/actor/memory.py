"""How much memory an actor will need, before it takes any, and how many games fit into what it may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from trainer.actor.selfplay import allocate
from trainer.games.base import Game
from trainer.search.cache import empty_cache
from trainer.search.tree import empty_tree
from trainer.settings.groups.self_play import SelfPlaySettings

GIBIBYTE = 2**30
Settings = TypeVar("Settings", bound=SelfPlaySettings)

SHARE_OF_GAMES = 0.6
"""Share of the memory that games and their trees get at least, if they need it, where not everything fits. They get more if
the caches need less than the rest."""


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
    def of_games(self) -> int:
        """Bytes of one thread that grow with the number of its games."""
        return self.trees + self.games + self.batches

    @property
    def total(self) -> int:
        """Bytes of all threads; Python and the libraries need some 200 MB more."""
        return self.threads * (self.of_games + self.cache)


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


def within_memory(game: Game, settings: Settings) -> Settings:
    """The settings with fewer games and cached evaluations, if those would take more than `memory_gib` allows.

    There is at least one game per thread, whatever it takes.
    """
    if actor_memory(game, settings).total <= settings.memory_gib * GIBIBYTE:
        return settings
    one, two = (actor_memory(game, replace(settings, games=count, cache=count)) for count in (1, 2))
    each, entry = two.of_games - one.of_games, two.cache - one.cache
    scratch = one.of_games - each + one.cache - entry  # what a thread needs beside its games and entries
    budget = settings.memory_gib * GIBIBYTE / settings.threads - scratch
    for_games = max(SHARE_OF_GAMES * budget, budget - settings.cache * entry)
    games = max(1, min(settings.games, int(for_games / each)))
    cache = max(0, min(settings.cache, int((budget - games * each) / entry)))
    return replace(settings, games=games, cache=cache)


def grown(make: Callable[[int], Iterable[Any]], count: int) -> int:
    """Bytes of the arrays that `make(count)` would return, from those of `make(1)` and `make(2)`."""
    one, two = (sum(array.nbytes for array in make(number) if isinstance(array, np.ndarray)) for number in (1, 2))
    return one + (two - one) * (count - 1)
