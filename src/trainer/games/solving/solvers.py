"""The solver of a game: its own, or one that visits all positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import signature
from types import ModuleType

import numpy as np

from trainer.core.errors import GameError
from trainer.games import games_with, has_part, part_of
from trainer.games.library.parts import global_of, lines_of, require_result
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import exhaustive_solver
from trainer.games.solving.solver import Scores, Solver

QUICKLY_VISITED = 500_000
"""Games with at most this many unfinished positions are small: they are solved in about a second."""


@dataclass(frozen=True)
class OwnSolver:
    """The solver in a part of a game. If its code fails, it raises GameError with the line."""

    solver: Solver
    part: ModuleType

    @property
    def quick(self) -> bool:
        """Whether it is also used during a run."""
        return bool(getattr(self.solver, "quick", False))

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A], as `Solver.scores`. Raises GameError for another shape, too."""
        with lines_of(self.part):
            scores = self.solver.scores(positions)
            found, needed = np.shape(scores), (len(positions.states), positions.game.num_actions)
        if found != needed:
            raise GameError(
                f"scores() in {self.part.__file__} returned an array of the shape {found}; it must return one of the shape "
                f"{needed}, a score for each action in each position"
            )
        return scores


def own_solver(part: ModuleType, env_id: str) -> OwnSolver:
    """The solver that a part of a game makes. Raises GameError if it makes none, ConfigError if it isn't installed."""
    function = global_of(part, "solver", callable, "define solver(env_id) there")
    with lines_of(part):
        takes_env_id = bool(signature(function).parameters)  # until 2026-11-30 it took nothing
        solver = function(env_id) if takes_env_id else function()
    is_solver = callable(getattr(solver, "scores", None))
    require_result(part, "solver()", solver, is_solver, "an object with a function scores(positions)")
    return OwnSolver(solver, part)


@cache
def solver_of(env_id: str) -> Solver:
    """The solver of a game, made once.

    Raises GameError if the game is too large, ConfigError if its own solver isn't installed.
    """
    part = part_of(env_id, "solver")
    if part is not None:
        return own_solver(part, env_id)
    if has_part(env_id, "scored_positions"):  # a small game would need none
        raise GameError(
            f"{env_id} has scored test positions, but no solver for whole games; games that have one: "
            f"{', '.join(games_with('solver'))}, and all small ones"
        )
    return exhaustive_solver(env_id)


def require_quick_solver(env_id: str) -> None:
    """Raise GameError or ConfigError, with the reason, if no solver of a game is quick enough to be used during a run."""
    if has_part(env_id, "solver") and getattr(solver_of(env_id), "quick", False):
        return
    exhaustive_solver(env_id, QUICKLY_VISITED)


@cache
def is_small(env_id: str) -> bool:
    """Whether all positions of a game can be visited quickly."""
    try:
        exhaustive_solver(env_id, QUICKLY_VISITED)
    except GameError:
        return False
    return True
