"""What a search or a raw policy finds out about a position. R positions, A actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trainer.evaluators.interface import Evaluate
from trainer.games.position import Position
from trainer.search.search import LONGEST_LINE, Search
from trainer.search.tree import DRAWN, LOSS, WIN

PROVEN = {LOSS: "loss", DRAWN: "draw", WIN: "win"}


@dataclass(frozen=True)
class MoveAnalysis:
    """One legal move, seen by the mover."""

    action: int
    prior: float
    """As the network gives it; the search softens it."""
    visits: int
    share: float
    """Share of the visits, where what is proven counts as `Search.run` says; without simulations the prior."""
    value: float | None
    """In [-1, 1]; None if no simulation went through the move."""
    proven: str | None
    """"win", "draw" or "loss" if the search has proven it."""

    def fields(self, position: Position) -> dict[str, Any]:
        """As JSON has it, with the move's name in the position."""
        return {"action": self.action, "name": position.name(self.action)} | asdict(self)


@dataclass(frozen=True)
class Analysis:
    """One position."""

    mover: int
    value: float
    """For the mover, in [-1, 1]."""
    raw_value: float
    """The same, by the network without search."""
    best: int
    """The action to play."""
    line: tuple[int, ...]
    """The principal variation: the actions from here on if both players follow the search. The first is `best`."""
    simulations: int
    moves: tuple[MoveAnalysis, ...]
    """One for each legal move, by action."""


def analysed(search: Search, position: Position, simulations: int, evaluate: Evaluate) -> Analysis:
    """What a search finds out about an unfinished position; with 0 simulations, what the evaluator says."""
    (found,) = all_analysed(search, [position], simulations, evaluate)
    return found


def all_analysed(
    search: Search, positions: Sequence[Position], simulations: int, evaluate: Evaluate, most: int = LONGEST_LINE
) -> list[Analysis]:
    """The same of many unfinished positions, as many at a time as the search has slots; no `line` is longer than `most`."""
    found: list[Analysis] = []
    for first in range(0, len(positions), search.slots):
        found += _side_by_side(search, positions[first : first + search.slots], simulations, evaluate, most)
    return found


def _side_by_side(
    search: Search, positions: Sequence[Position], simulations: int, evaluate: Evaluate, most: int
) -> list[Analysis]:
    """The analyses of R positions, each searched in a slot of its own."""
    states = np.array([position.state for position in positions])
    shares, values = search.run(states, simulations, evaluate)
    roots = [search.root_moves(slot) for slot in range(len(positions))]
    legal = np.zeros(shares.shape, np.bool_)
    for row, moves in enumerate(roots):
        legal[row, moves.actions] = True
    observation = np.array([position.observation for position in positions])
    prior, raw_values = evaluate(observation, legal)  # the search has softened its own copy of the prior
    if not simulations:
        shares = prior
    found = []
    for row, (position, moves) in enumerate(zip(positions, roots, strict=True)):
        best = int(shares[row].argmax())
        line = search.principal_variation(row, most) if simulations else [best][:most]
        found.append(
            Analysis(
                mover=position.mover,
                value=float(values[row]),
                raw_value=float(raw_values[row]),
                best=best,
                line=tuple(line),
                simulations=simulations,
                moves=tuple(
                    MoveAnalysis(
                        action=int(action),
                        prior=float(prior[row, action]),
                        visits=int(moves.visits[at]),
                        share=float(shares[row, action]),
                        value=None if np.isnan(moves.values[at]) else float(moves.values[at]),
                        proven=PROVEN.get(int(moves.proven[at])),
                    )
                    for at, action in enumerate(moves.actions)
                ),
            )
        )
    return found
