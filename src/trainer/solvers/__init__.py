"""Exact knowledge of a game: what each move is worth under best play. `solver_of(env_id)` finds the game's solver."""

from trainer.solvers.base import NOT_LEGAL, SOLVED_GAMES, Scores, Solver, solver_of

__all__ = ["NOT_LEGAL", "SOLVED_GAMES", "Scores", "Solver", "solver_of"]
