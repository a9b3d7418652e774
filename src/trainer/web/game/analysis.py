"""What a search or a raw policy finds out about one position."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trainer.games.position import Position


@dataclass(frozen=True)
class MoveAnalysis:
    """One legal move, seen by the mover."""

    action: int
    prior: float
    """As the network gives it; the search softens it."""
    visits: int
    share: float
    """Share of the visits; without simulations the prior."""
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
        """As the API sends it, with the moves of the position under the name `thoughts`."""
        return {
            "mover": self.mover,
            "value": self.value,
            "best": self.best,
            "simulations": self.simulations,
            "thoughts": [asdict(move) | {"name": position.name(move.action)} for move in self.moves],
        }
