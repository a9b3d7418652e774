"""Scored positions: test positions in which a solver has scored every move. R positions, A actions.

A game's folder can have a module `scored_positions` with a function `scored_positions(file)`. Other games have them if all
of their positions can be visited, or if they have a solver of their own. They are for measuring only: nothing may train on
them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ConfigError, GameError, TrainerError
from trainer.games import games_with, has_part, part_of
from trainer.games.base import OPEN
from trainer.games.library.parts import global_of, lines_of, require_result
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import exhaustive_solver
from trainer.games.solving.solver import Scores, Solver
from trainer.games.solving.solvers import is_small, require_quick_solver, solver_of

log = logging.getLogger(__name__)

SAMPLED = 5_000
"""Positions that are drawn from games of a game with a solver of its own."""
GAMES = 20_000
"""The games that they come from; of positions that occur twice, one counts."""
PHASES = ("first third", "second third", "last third")
"""Their kinds, by the plies that were played, of an ordinary game's."""


@dataclass(frozen=True)
class ScoredPositions:
    """R unfinished positions of a game, with the score of every move."""

    positions: Positions
    scores: Scores
    """int8 [R, A], as `trainer.games.solving.solver` defines scores."""
    kinds: tuple[str, ...]
    """Names of the kinds of positions."""
    kind: NDArray[np.int64]
    """[R] index into `kinds`."""
    quick_stride: int = 1
    """A quick measurement takes one position in this many."""

    def __len__(self) -> int:
        return len(self.kind)

    def select(self, rows: slice) -> ScoredPositions:
        """Some of the positions."""
        return ScoredPositions(
            self.positions.of(self.positions.states[rows]),
            self.scores[rows],
            self.kinds,
            self.kind[rows],
            self.quick_stride,
        )

    def every(self, stride: int) -> ScoredPositions:
        """Every `stride`-th position. If they are sorted by kind, as stored sets are, each kind keeps its share."""
        return self.select(slice(None, None, stride))


@cache
def has_scored_positions(env_id: str) -> bool:
    """Whether a game brings scored positions, or gets them in a few seconds because it is quickly solved."""
    if has_part(env_id, "scored_positions"):
        return True
    try:
        require_quick_solver(env_id)
    except TrainerError as error:
        log.info("wrong moves are not counted during a run: %s", error)
        return False
    return True


def scored_positions_of(env_id: str, file: Path | None = None) -> ScoredPositions:
    """The scored positions of a game, from `file` if one is given. Those of this package's games need no other package.

    Raises GameError if the game has none and is too large to be solved, or if its own part fails, and ConfigError if the
    file can't be used.
    """
    part = part_of(env_id, "scored_positions")
    if part is None:
        if file:
            raise ConfigError(
                f"{env_id} is measured on positions that are solved on the spot, not on those of {file}; "
                f"leave out --positions"
            )
        own = solver_of(env_id) if has_part(env_id, "solver") else None
        return sampled_positions(env_id, own) if own and not is_small(env_id) else visited_positions(env_id)
    function = global_of(part, "scored_positions", callable, "define scored_positions(file) there")
    with lines_of(part):
        scored = function(file)
    right = isinstance(scored, ScoredPositions)
    require_result(part, "scored_positions()", scored, right, f"a {ScoredPositions.__module__}.ScoredPositions")
    return cast(ScoredPositions, scored)


def visited_positions(env_id: str) -> ScoredPositions:
    """All unfinished positions of a small game, or a sample of them, of one kind. Raises GameError for a larger game."""
    try:
        solver = exhaustive_solver(env_id)
    except GameError as error:
        raise GameError(
            f"wrong moves can't be counted in {env_id}: it has no scored test positions (games that have some: "
            f"{', '.join(games_with('scored_positions'))}), and {error}"
        ) from error
    positions = Positions(env_id, 0).of(solver.states)
    kind = "all" if len(solver.states) == solver.count else f"sample of {solver.count:,}"
    return ScoredPositions(positions, solver.scores(positions), (kind,), np.zeros(len(solver.states), np.int64))


def sampled_positions(env_id: str, solver: Solver) -> ScoredPositions:
    """Positions of a game that has a solver of its own, the same each time.

    Each comes from a game of its own, at a random ply. A game has a random share of random moves; its other moves are drawn
    from the best ones. Positions in which all moves have the same score are left out, because nobody can go wrong there.
    """
    generator, positions = np.random.default_rng(0), Positions(env_id, GAMES)
    game = positions.game
    chance, moment = generator.random(GAMES), generator.integers(0, game.usual_plies, GAMES)
    states, scores, plies = [], [], []
    open_rows = np.arange(GAMES)
    for ply in range(game.usual_plies):
        here = positions.of(positions.states[open_rows])
        _, once, same = np.unique(here.states[:, : game.lasting_words], axis=0, return_index=True, return_inverse=True)
        legal, scored = here.legal(), solver.scores(here.of(here.states[once]))[same.ravel()]
        best = scored == scored.max(axis=1, keepdims=True)
        kept = (moment[open_rows] == ply) & (best != legal).any(axis=1)
        states.append(here.states[kept])
        scores.append(scored[kept])
        plies += [ply] * int(kept.sum())
        allowed = np.where((generator.random(len(open_rows)) < chance[open_rows])[:, None], legal, best)
        positions.play(open_rows, (generator.random(legal.shape) * allowed).argmax(axis=1))
        open_rows = open_rows[positions.winner[open_rows] == OPEN]
    found, scored = np.concatenate(states), np.concatenate(scores)
    _, once = np.unique(found[:, : game.lasting_words], axis=0, return_index=True)
    chosen = np.sort(generator.permutation(once)[:SAMPLED])
    if not len(chosen):
        raise GameError(
            f"wrong moves can't be counted in {env_id}: in {GAMES:,} games all moves of a position had the same score"
        )
    kind = np.array(plies, np.int64)[chosen] * len(PHASES) // game.usual_plies
    return ScoredPositions(positions.of(found[chosen]), scored[chosen], PHASES, kind)


def positions_after(env_id: str, games: Sequence[Sequence[int] | str]) -> Positions:
    """The positions after the actions of each game; a string has a digit for each. Raises ConfigError if one is illegal."""
    positions = Positions(env_id, len(games))
    for ply in range(max(map(len, games), default=0)):
        rows = np.array([row for row, moves in enumerate(games) if len(moves) > ply], np.int64)
        actions = np.array([int(games[row][ply]) for row in rows])
        possible = positions.legal()[rows, actions]
        if not possible.all():
            raise ConfigError(f"the moves {games[rows[possible.argmin()]]} can't be played from the first position")
        positions.play(rows, actions)
    return positions
