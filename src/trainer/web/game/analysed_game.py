"""A browser's game, with what the model has found in its positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import ref

from trainer.evaluators.interface import Evaluate
from trainer.games.position import Position
from trainer.play.game_in_progress import GameInProgress
from trainer.search.analysis import Analysis


@dataclass(frozen=True)
class Found:
    """An analysis, and whose it is."""

    analysis: Analysis
    analyst: ref[Evaluate]
    """The evaluator that it is by, unless it is gone."""


@dataclass
class AnalysedGame(GameInProgress):
    """The game so far, and analyses of its positions."""

    found: dict[int, Found] = field(default_factory=dict)
    """By ply, for those at which the model was asked."""

    def note(self, ply: int, position: Position, analysis: Analysis, analyst: Evaluate) -> None:
        """Keep the analysis of a position, unless it was taken back meanwhile."""
        if ply < len(self.positions) and self.positions[ply] is position:
            self.found[ply] = Found(analysis, ref(analyst))

    def undo(self) -> None:
        """As for any game; the analyses of what is taken back go, too."""
        super().undo()
        self.found = {ply: found for ply, found in self.found.items() if ply <= self.ply}


def fields_of(analysis: Analysis, position: Position) -> dict[str, Any]:
    """An analysis of a position as the API sends it; each move has its name."""
    return {
        "mover": analysis.mover,
        "value": analysis.value,
        "best": analysis.best,
        "simulations": analysis.simulations,
        "moves": [move.fields(position) for move in analysis.moves],
    }
