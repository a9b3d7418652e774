"""The solver of a game that is small enough to visit every position: forwards ply by ply, then backwards."""

from __future__ import annotations

import numpy as np

from trainer.games.base import DRAW, OPEN, State
from trainer.games.positions import Positions
from trainer.games.solver import NOT_LEGAL, Scores


class ExhaustiveSolver:
    """All unfinished positions of a game in which each ply fills a cell, with the scores of their moves.

    A win that leaves n cells empty scores n + 1 for the winner.
    """

    def __init__(self, env_id: str) -> None:
        """Solve the game; tic-tac-toe takes a few milliseconds."""
        levels = [Positions(env_id, 1)]
        while len(levels[-1].states):
            _, _, after = levels[-1].successors()
            levels.append(after.of(np.unique(after.states[after.winner == OPEN], axis=0)))
        levels.pop()
        self._row: dict[bytes, int] = {}
        self._scores: Scores = np.zeros((0, levels[0].game.num_actions), np.int8)
        for ply in reversed(range(len(levels))):
            self._add(levels[ply], levels[0].game.max_plies - ply)
        self.states: State = np.concatenate([level.states for level in reversed(levels)])

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere."""
        rows = [self._row[state.tobytes()] for state in positions.states]
        return self._scores[rows]

    def _add(self, level: Positions, win: int) -> None:
        """Score a ply's positions from those of the next ply; a move that ends the game there wins `win`."""
        rows, actions, after = level.successors()
        worth = np.zeros(len(rows), np.int8)  # for the player to move after the move
        under_way = after.winner == OPEN
        following = [self._row[state.tobytes()] for state in after.states[under_way]]
        worth[under_way] = self._scores[following].max(axis=1, initial=NOT_LEGAL)
        won = np.where(after.winner == after.mover, win, -win)
        worth = np.where(under_way | (after.winner == DRAW), worth, won).astype(np.int8)
        scores = np.full((len(level.states), level.game.num_actions), NOT_LEGAL, np.int8)
        scores[rows, actions] = np.where(after.mover == level.mover[rows], worth, -worth)
        first = len(self._scores)
        self._row |= {state.tobytes(): first + at for at, state in enumerate(level.states)}
        self._scores = np.concatenate([self._scores, scores])
