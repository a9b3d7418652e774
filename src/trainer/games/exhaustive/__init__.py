"""A solver for any game that is small enough to visit every position: `solver.py`, with the kernels in `visit.py`."""

from trainer.games.exhaustive.solver import MOST_POSITIONS, ExhaustiveSolver, exhaustive_solver

__all__ = ["MOST_POSITIONS", "ExhaustiveSolver", "exhaustive_solver"]
