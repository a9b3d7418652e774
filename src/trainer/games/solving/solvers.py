"""The solver of a game: its own, or one that visits all positions."""

from __future__ import annotations

from functools import cache

from trainer.core.errors import GameError, TrainerError
from trainer.games import games_with, has_part, part_of
from trainer.games.solving.exhaustive import exhaustive_solver
from trainer.games.solving.solver import Solver

QUICKLY_VISITED = 500_000
"""Games with at most this many unfinished positions are small: they are solved in about a second."""


def solver_of(env_id: str) -> Solver:
    """The solver of a game. Raises GameError if the game is too large, ConfigError if its own solver isn't installed."""
    part = part_of(env_id, "solver")
    if part is not None:
        solver: Solver = part.solver(env_id)
        return solver
    if has_part(env_id, "scored_positions"):  # a small game would need none
        raise GameError(
            f"{env_id} has scored test positions, but no solver for whole games; games that have one: "
            f"{', '.join(games_with('solver'))}, and all small ones"
        )
    return exhaustive_solver(env_id)


@cache
def has_own_solver(env_id: str) -> bool:
    """Whether a game has a solver of its own, which is installed and solves it with these parameters."""
    if not has_part(env_id, "solver"):
        return False
    try:
        solver_of(env_id)
        return True
    except TrainerError:
        return False


@cache
def is_small(env_id: str) -> bool:
    """Whether all positions of a game can be visited quickly."""
    try:
        exhaustive_solver(env_id, QUICKLY_VISITED)
    except GameError:
        return False
    return True
