"""A solver for games that are small enough to visit every position: forwards ply by ply, then backwards."""

from __future__ import annotations

import numpy as np

from trainer.games.base import DRAW, OPEN, State
from trainer.games.positions import Positions
from trainer.games.solver import NOT_LEGAL, Scores


class ExhaustiveSolver:
    """The scores of all moves in all unfinished positions of a game in which every ply fills a cell.

    A win that leaves n cells empty scores n + 1 for the winner.
    """

    def __init__(self, env_id: str) -> None:
        """Solve the game; tic-tac-toe takes a few milliseconds.

        `states`: all unfinished positions, each once.
        """
        levels = [Positions(env_id, 1)]
        while len(levels[-1].states):
            _, _, after = levels[-1].successors()
            levels.append(after.of(np.unique(after.states[after.winner == OPEN], axis=0)))
        levels.pop()
        self._row: dict[bytes, int] = {}
        self._scores: Scores = np.zeros((0, levels[0].game.num_actions), np.int8)
        for ply in reversed(range(len(levels))):
            self._score(levels[ply], levels[0].game.max_plies - ply)
        self.states: State = np.concatenate([level.states for level in reversed(levels)])

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere."""
        rows = [self._row[state.tobytes()] for state in positions.states]
        return self._scores[rows]

    def _score(self, level: Positions, win: int) -> None:
        """Score the positions of a ply, after those of the next ply; a move that wins at once scores `win`."""
        rows, actions, after = level.successors()
        value = np.zeros(len(rows), np.int8)  # of the position after the move, for the player to move there
        unfinished = after.winner == OPEN
        known = [self._row[state.tobytes()] for state in after.states[unfinished]]
        value[unfinished] = self._scores[known].max(axis=1, initial=NOT_LEGAL)
        won = np.where(after.winner == after.mover, win, -win)
        value = np.where(unfinished | (after.winner == DRAW), value, won).astype(np.int8)
        scores = np.full((len(level.states), level.game.num_actions), NOT_LEGAL, np.int8)
        scores[rows, actions] = np.where(after.mover == level.mover[rows], value, -value)
        first = len(self._scores)
        self._row |= {state.tobytes(): first + row for row, state in enumerate(level.states)}
        self._scores = np.concatenate([self._scores, scores])
