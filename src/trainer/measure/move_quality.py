"""Move quality: how often a player's move is wrong, judged by a solver's scores. R positions, A actions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evaluators.interface import Evaluate
from trainer.games.solving.scored_positions import ScoredPositions, scored_positions_of
from trainer.games.solving.solver import Scores
from trainer.measure.intervals import wilson
from trainer.players import NetworkPlayer, Player


@dataclass(frozen=True)
class ErrorCounts:
    """The wrong moves among a player's moves in some positions."""

    positions: int
    weak: int
    """Moves that lose game-theoretic value: a draw or a loss although there was better."""
    strong: int
    """Moves that are not the fastest win or the slowest loss, in Othello those that lose discs, in dots and boxes with
    a solver of its own those that lose boxes. If the best result is a draw, any draw is right."""

    def as_json(self) -> dict[str, Any]:
        """Counts, rates and their 95% intervals."""
        found: dict[str, Any] = {"positions": self.positions}
        for name, count in (("weak", self.weak), ("strong", self.strong)):
            found[f"{name}_errors"] = count
            found[f"{name}_error"] = count / self.positions
            found[f"{name}_interval_95"] = wilson(count, self.positions)
        return found


@dataclass(frozen=True)
class MoveQuality:
    """The wrong moves of one player, by kind of position."""

    player: str
    kinds: dict[str, ErrorCounts]

    @property
    def total(self) -> ErrorCounts:
        """All kinds together."""
        kinds = self.kinds.values()
        return ErrorCounts(
            positions=sum(kind.positions for kind in kinds),
            weak=sum(kind.weak for kind in kinds),
            strong=sum(kind.strong for kind in kinds),
        )

    def as_json(self) -> dict[str, Any]:
        """The total, with the kinds below it."""
        kinds = {kind: errors.as_json() for kind, errors in self.kinds.items()}
        return {"player": self.player, **self.total.as_json(), "kinds": kinds}


def wrong_moves(scores: Scores, actions: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which moves are weak errors and which are strong errors, bool [R] each; `scores` [R, A], `actions` [R]."""
    best, chosen = scores.max(axis=1), scores[np.arange(len(actions)), actions]
    weak: NDArray[np.bool_] = np.sign(chosen) < np.sign(best)
    strong: NDArray[np.bool_] = chosen < best
    return weak, strong


def measure_move_quality(scored: ScoredPositions, player: Player) -> MoveQuality:
    """Let a player move in every position, and count its wrong moves."""
    generator = np.random.default_rng(0)
    actions = player.choose(scored.positions, [generator] * len(scored))
    weak, strong = wrong_moves(scored.scores, actions)
    kinds = {}
    for number, name in enumerate(scored.kinds):
        of_kind = scored.kind == number
        if of_kind.any():  # a user's own file may lack a kind
            kinds[name] = ErrorCounts(int(of_kind.sum()), int(weak[of_kind].sum()), int(strong[of_kind].sum()))
    return MoveQuality(player.name, kinds)


def quick_move_quality(env_id: str, evaluate: Evaluate) -> MoveQuality:
    """The wrong moves of a model's raw policy in a part of the scored positions, small enough to be repeated during a run.

    Raises GameError for a game without scored positions.
    """
    return measure_move_quality(_quick_positions(env_id), NetworkPlayer("model", evaluate))


@cache
def _quick_positions(env_id: str) -> ScoredPositions:
    scored = scored_positions_of(env_id)
    return scored.every(scored.quick_stride)
