"""Settings of self-play: how moves are made, and how many games are played side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainer.settings.base import fixed
from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.groups.search import SearchSettings
from trainer.settings.validation import require, require_above_0, require_at_least

LARGEST_CACHE = 2**24
"""Maximum number of entries: 5 GiB per thread for Othello."""


@dataclass(frozen=True)
class SelfPlaySettings(SearchSettings, EvaluationSettings):
    """How an actor plays games against itself."""

    simulations: int = fixed(100)
    """Simulations per move."""
    first_simulations: int | None = fixed(None)
    """Initial simulations per move; grows linearly to --simulations over the run. None: --simulations throughout."""
    gumbel: bool = fixed(False)
    """Search with Gumbel's sequential halving at the root, with the improved policy as target (Danihelka et al. 2022),
    instead of PUCT with Dirichlet noise."""
    noise_alpha: float = fixed(1.0)
    """Concentration of the Dirichlet noise. AlphaZero's alpha is about 10 / the usual number of legal moves: 0.3 in chess,
    0.03 in Go."""
    sampled_plies: int | None = fixed(None)
    """Plies at the start of a game in which the move is sampled, in proportion to the visits or by Gumbel noise. In later
    plies it is the best move found. None: a quarter of an ordinary game, which has as many plies as the board has cells
    unless the game says otherwise."""
    random_openings: float = fixed(0.0)
    """Share of games that begin with uniformly random moves, so that the network sees positions that good play avoids. Those
    moves are not stored."""
    random_plies: int | None = fixed(None)
    """The most random moves at the start of a game; every number from --fewest-random-plies to this one is equally likely.
    None: half of an ordinary game."""
    fewest_random_plies: int | None = fixed(0)
    """The fewest random moves at the start of a game that has any. There are few ways to play the first plies, so games with
    few random moves repeat each other. None: a tenth of an ordinary game. It is never more than --random-plies, or its
    default."""
    threads: int = 1
    """Threads that play; one per core is best."""
    games: int = 128
    """Games that each thread plays side by side."""
    cache: int = 2**18
    """Evaluations that each thread caches until the next model: 14 MiB for Connect 4, 74 MiB for Othello; 0: none. The
    games are the same either way."""
    memory_gib: float = 1.0
    """GiB that the games, search trees and caches of all threads may take. If --games and --cache would need more, both are
    reduced."""
    episode_timeout_secs: float = 0.0
    """Abandon a game that takes longer than this; 0: never."""
    replay_window: int | None = None
    """Keep about this many of the newest positions in the database, by whole games; None: all."""
    actor_id: str = "actor-1"
    """Name of this actor; the ids of its games start with it."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        SearchSettings.check(self)
        require_at_least(self, 1, "simulations", "threads", "games", "replay_window")
        require_at_least(self, 0, "sampled_plies", "random_plies", "fewest_random_plies", "episode_timeout_secs")
        require_above_0(self, "memory_gib")
        first = self.first_simulations
        require(
            first is None or 1 <= first <= self.simulations,
            f"--first-simulations is {first}; give a number from 1 to --simulations ({self.simulations})",
        )
        most, fewest = self.random_plies, self.fewest_random_plies
        require(
            most is None or fewest is None or fewest <= most,
            f"--fewest-random-plies is {fewest}; give a number from 0 to --random-plies ({most})",
        )
        alpha = self.noise_alpha
        require(
            0.01 <= alpha < math.inf, f"--noise-alpha is {alpha}; give a number from 0.01"
        )  # smaller noise becomes 0
        share = self.random_openings
        require(0 <= share <= 1, f"--random-openings is {share}; give a share from 0 to 1")
        require_cache(self.cache)
        require(bool(self.actor_id), "--actor-id is empty; give the actor a name")
        require(self.actor_id.isprintable(), f"--actor-id is {self.actor_id!r}; give a name of printable characters")


def require_cache(entries: int) -> None:
    """Raise ConfigError for a cache that is too large."""
    require(0 <= entries <= LARGEST_CACHE, f"--cache is {entries}; give a number of entries from 0 to {LARGEST_CACHE}")
