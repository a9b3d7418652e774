"""A solver for games that are small enough to visit every position."""

from __future__ import annotations

import logging
from typing import NoReturn

import numpy as np

from trainer.compile.linker import Linked
from trainer.core.errors import GameError
from trainer.games import game_of, splitmix
from trainer.games.base import Game, State
from trainer.games.kernels import link_kernels
from trainer.games.positions import Positions
from trainer.games.solving import visit
from trainer.games.solving.solver import NOT_LEGAL, Scores

log = logging.getLogger(__name__)

MOST_POSITIONS = 11_000_000
"""Games with more unfinished positions than this are not solved. The table then takes 335 MB."""
MOST_KEPT = 5_000
"""The most positions that are kept to count wrong moves in: all positions of the game, or a sample."""
FIRST_TABLE = 40_000
"""Positions of the first table that is tried; the next one has room for GROWTH times as many."""
GROWTH = 25


class ExhaustiveSolver:
    """The scores of all moves in all unfinished positions of a game. Two are the same if `Game.lasting_words` are.

    A move that wins on ply n scores `max_plies` + 1 - n for the winner, if games are no longer than 127 plies: in a game in
    which every ply fills a cell, one more than the cells that are left. In longer games the slowest wins score the same.
    """

    def __init__(self, env_id: str, most: int = MOST_POSITIONS, kept: int = MOST_KEPT) -> None:
        """Solve the game; tic-tac-toe takes a few milliseconds.

        `count`: how many unfinished positions there are. `states`: all of them, each once, or a sample of `kept`; those of
        later plies come first. Raises GameError if there are more than `most`, or if they can repeat.
        """
        self._positions = Positions(env_id, 1)
        self._line = visit.empty_line(self._positions.game)
        self._line.states[0] = self._positions.states[0]  # the warm-up looks at it, too
        self._kernels = link_kernels(env_id, splitmix, visit, warm_up=self._warm_up).visit
        sample = np.zeros((kept, self._positions.game.state_words), np.uint64)
        plies = np.zeros(kept, np.int64)
        limit = min(FIRST_TABLE, most)
        while True:
            self._table = visit.empty_table(self._positions.game, 1 << (limit + limit // 3).bit_length())
            self._line.states[0] = self._positions.states[0]
            self.count: int = self._kernels.visit(self._table, self._line, sample, plies, limit)
            if self.count != visit.TOO_MANY or limit == most:
                break
            more = min(GROWTH * limit, most)
            log.info("%s has more than %s positions; visiting up to %s", env_id, f"{limit:,}", f"{more:,}")
            limit = more
        if self.count < 0:
            refuse(self._positions.game, self.count, most)
        plies, sample = plies[: self.count], sample[: self.count]
        order = np.lexsort([*reversed(sample.T), -plies])
        self.states: State = sample[order]

    def scores(self, positions: Positions) -> Scores:
        """int8 [R, A]: the score of each legal move, NOT_LEGAL elsewhere.

        Raises GameError for a position that no game leads to.
        """
        scores = np.full((len(positions.states), positions.game.num_actions), NOT_LEGAL, np.int8)
        if self._kernels.score_all(self._table, self._line, positions.states, scores):
            raise GameError(
                f"one of the positions can't be reached in a game of {positions.game.env_id}, so it isn't solved"
            )
        return scores

    def _warm_up(self, linked: Linked) -> None:
        """Call each kernel once."""
        table, scores = (
            visit.empty_table(self._positions.game, 2),
            np.zeros((0, self._positions.game.num_actions), np.int8),
        )
        states = self._positions.states
        linked.visit.visit(table, self._line, states.copy(), np.zeros(1, np.int64), 1)
        linked.visit.score_all(table, self._line, states[:0], scores)


def refuse(game: Game, reason: int, most: int) -> NoReturn:
    """Raise GameError with the reason that `visit.visit` returned, in words."""
    env_id = game.env_id
    if reason == visit.REPEATED:
        raise GameError(
            f"{env_id} can't be solved by visiting all positions, because a position can come back in the same game"
        )
    if reason == visit.TOO_LONG:
        raise GameError(
            f"{env_id} has games that are longer than its max_plies of {game.max_plies}; raise that in the game's file"
        )
    if game.lasting_words > game.deciding_words:
        raise GameError(
            f"{env_id} can't be solved by visiting all positions, because later moves depend on the history of a position "
            f"and there are more than {most:,} positions with different histories"
        )
    raise GameError(f"{env_id} can't be solved by visiting all positions, because there are more than {most:,}")


def exhaustive_solver(env_id: str, most: int = MOST_POSITIONS) -> ExhaustiveSolver:
    """The solver of a game, made once. Raises GameError as ExhaustiveSolver does."""
    solver = _solvers.get(env_id)
    if solver is None:
        solver = _solvers[env_id] = ExhaustiveSolver(env_id, most)
    if solver.count > most:
        refuse(game_of(env_id), visit.TOO_MANY, most)
    return solver


_solvers: dict[str, ExhaustiveSolver] = {}
"""By env_id."""
