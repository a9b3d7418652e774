"""Move quality: how often a player's move is wrong, by a solver's word. R positions, A actions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from trainer.games.solver import Scores
from trainer.measure.exam import Exam, exam_of
from trainer.measure.intervals import wilson
from trainer.players import Player, model_player
from trainer.search import Evaluate

EVERY = {"tictactoe": 1, "connect4": 10}
"""A quick look takes one position in so many."""
TOTAL = "total"


@dataclass(frozen=True)
class Errors:
    """The wrong moves among those made in one kind of position."""

    positions: int
    weak: int
    """Moves that lose game-theoretic value: a draw or a loss where there was better."""
    strong: int
    """Moves that are not the fastest win or slowest loss; where the best is a draw, any draw is right."""

    def as_json(self) -> dict[str, Any]:
        """Counts, rates and their 95% intervals."""
        found: dict[str, Any] = {"positions": self.positions}
        for name, count in (("weak", self.weak), ("strong", self.strong)):
            found[f"{name}_errors"] = count
            found[f"{name}_error"] = count / self.positions
            found[f"{name}_interval_95"] = wilson(count, self.positions)
        return found


@dataclass(frozen=True)
class Quality:
    """How one player did in an exam."""

    player: str
    kinds: dict[str, Errors]

    @property
    def total(self) -> Errors:
        """All kinds together."""
        kinds = self.kinds.values()
        return Errors(*(sum(getattr(kind, name) for kind in kinds) for name in ("positions", "weak", "strong")))

    def as_json(self) -> dict[str, Any]:
        """The total, and each kind below it."""
        kinds = {kind: errors.as_json() for kind, errors in self.kinds.items()}
        return {"player": self.player, **self.total.as_json(), "kinds": kinds}


def wrong_moves(scores: Scores, actions: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which moves are weak errors and which are strong ones, bool [R] each; `scores` [R, A], `actions` [R]."""
    best, chosen = scores.max(axis=1), scores[np.arange(len(actions)), actions]
    weak: NDArray[np.bool_] = np.sign(chosen) < np.sign(best)
    strong: NDArray[np.bool_] = chosen < best
    return weak, strong


def examine(exam: Exam, player: Player, seed: int = 0) -> Quality:
    """Have a player move in every position of an exam."""
    generator = np.random.default_rng(seed)
    actions = player.choose(exam.positions, [generator] * len(exam.kind))
    weak, strong = wrong_moves(exam.scores, actions)
    kinds = {}
    for number, name in enumerate(exam.kinds):
        of_kind = exam.kind == number
        if of_kind.any():  # a set from elsewhere may lack a kind
            kinds[name] = Errors(int(of_kind.sum()), int(weak[of_kind].sum()), int(strong[of_kind].sum()))
    return Quality(player.name, kinds)


def quick_quality(env_id: str, evaluate: Evaluate, simulations: int = 0) -> Quality:
    """How often a model's move is wrong: every position of tic-tac-toe, one in ten of the stored set of Connect 4.

    Raises GameError for a game that can't be examined.
    """
    exam = _quick_exam(env_id)
    return examine(exam, model_player("model", env_id, evaluate, simulations, len(exam.kind)))


@cache
def _quick_exam(env_id: str) -> Exam:
    return exam_of(env_id).every(EVERY[env_id])


def quality_table(title: str, results: list[Quality]) -> Table:
    """Weak and strong errors in percent with their 95% intervals: a row for each player in each kind of position."""
    table = Table(title=title, title_justify="left")
    table.add_column("positions")
    table.add_column("player")
    for name in ("weak error", "95% interval", "strong error", "95% interval"):
        table.add_column(name, justify="right")
    kinds = list(results[0].kinds)
    for kind in kinds if len(kinds) == 1 else [*kinds, TOTAL]:
        for number, quality in enumerate(results):
            errors = quality.total if kind == TOTAL else quality.kinds[kind]
            where = "" if number else f"{kind} ({errors.positions:,})"
            table.add_row(where, quality.player, *_shares(errors.weak, errors), *_shares(errors.strong, errors))
        table.add_section()
    return table


def _shares(count: int, errors: Errors) -> tuple[str, str]:
    low, high = wilson(count, errors.positions)
    return f"{100 * count / errors.positions:.2f}%", f"{100 * low:.2f} to {100 * high:.2f}"
