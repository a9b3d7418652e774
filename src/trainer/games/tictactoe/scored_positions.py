"""The scored positions of tic-tac-toe: all 4,520 unfinished positions, solved exhaustively."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trainer.core.errors import ConfigError
from trainer.games.positions import Positions
from trainer.games.scored_positions import ScoredPositions
from trainer.games.tictactoe.solver import solver


def scored_positions(file: Path | None) -> ScoredPositions:
    """All unfinished positions, of one kind. Raises ConfigError for a file, because there are no others."""
    if file:
        raise ConfigError(
            f"tictactoe is measured on all of its positions, not on those of {file}; leave out --positions"
        )
    exhaustive = solver()
    positions = Positions("tictactoe", 0).of(exhaustive.states)
    kind = np.zeros(len(exhaustive.states), np.int64)
    return ScoredPositions(positions, exhaustive.scores(positions), ("all",), kind)
