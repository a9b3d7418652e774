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
