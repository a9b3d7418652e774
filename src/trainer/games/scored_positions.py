"""Scored positions: test positions in which a solver has scored every move. R positions, A actions.

A game has them if its folder holds a module `scored_positions` with a function `scored_positions(file)`. They are for
measuring only: nothing may train on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ConfigError, GameError
from trainer.games import games_with, has_part, part_of
from trainer.games.positions import Positions
from trainer.games.solver import Scores


@dataclass(frozen=True)
class ScoredPositions:
    """R unfinished positions of a game, with the score of every move."""

    positions: Positions
    scores: Scores
    """int8 [R, A], as `trainer.games.solver` defines scores."""
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


def has_scored_positions(env_id: str) -> bool:
    """Whether a game brings scored positions."""
    return has_part(env_id, "scored_positions")


def scored_positions_of(env_id: str, file: Path | None = None) -> ScoredPositions:
    """The scored positions of a game, from `file` if one is given. No solver needs to be installed.

    Raises GameError if the game has none, and ConfigError if the file can't be used.
    """
    part = part_of(env_id, "scored_positions")
    if part is None:
        raise GameError(
            f"wrong moves can't be counted in {env_id}, because it has no scored test positions; "
            f"the games that have some are {', '.join(games_with('scored_positions'))}"
        )
    scored = part.scored_positions(file)
    assert isinstance(scored, ScoredPositions)
    return scored


def positions_after(env_id: str, games: Sequence[str]) -> Positions:
    """The positions after the moves of each game, one digit per action. Raises ConfigError if a move is illegal."""
    positions = Positions(env_id, len(games))
    for ply in range(max(map(len, games), default=0)):
        rows = np.array([row for row, moves in enumerate(games) if len(moves) > ply], np.int64)
        actions = np.array([int(games[row][ply]) for row in rows])
        possible = positions.legal()[rows, actions]
        if not possible.all():
            raise ConfigError(f"the moves {games[rows[possible.argmin()]]} can't be played from the first position")
        positions.play(rows, actions)
    return positions
