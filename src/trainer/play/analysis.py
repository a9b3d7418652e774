"""What a search or a raw policy finds out about one position."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trainer.evaluators.interface import Evaluate
from trainer.games.position import Position
from trainer.search import Search
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


@dataclass(frozen=True)
class Analysis:
    """One position."""

    mover: int
    value: float
    """For the mover, in [-1, 1]."""
    best: int
    """The action to play."""
    simulations: int
    moves: tuple[MoveAnalysis, ...]
    """One for each legal move, by action."""

    def fields(self, position: Position) -> dict[str, Any]:
        """As the API sends it; each move has its name in the position, too."""
        return {
            "mover": self.mover,
            "value": self.value,
            "best": self.best,
            "simulations": self.simulations,
            "moves": [asdict(move) | {"name": position.name(move.action)} for move in self.moves],
        }


def analysed(search: Search, position: Position, simulations: int, evaluate: Evaluate) -> Analysis:
    """What a search for one game finds out about an unfinished position; with 0 simulations, what the evaluator says."""
    visits, values = search.run(position.state[None], simulations, evaluate)
    moves = search.root_moves(0)
    legal = np.zeros((1, search.game.num_actions), np.bool_)
    legal[0, moves.actions] = True
    prior, _ = evaluate(position.observation[None], legal)  # the search has softened its own copy
    share = visits if simulations else prior
    return Analysis(
        mover=position.mover,
        value=float(values[0]),
        best=int(share[0].argmax()),
        simulations=simulations,
        moves=tuple(
            MoveAnalysis(
                action=int(action),
                prior=float(prior[0, action]),
                visits=int(moves.visits[at]),
                share=float(share[0, action]),
                value=None if np.isnan(moves.values[at]) else float(moves.values[at]),
                proven=PROVEN.get(int(moves.proven[at])),
            )
            for at, action in enumerate(moves.actions)
        ),
    )
