"""What other programs call the moves of Hex: by letter and row, with row 1 at the top."""

from __future__ import annotations

from trainer.games.base import State
from trainer.games.vocabulary import Vocabulary


class ENGINE(Vocabulary):
    """Cells as d3, counted from the top, as everywhere in Hex."""

    def gtp_move(self, state: State, action: int) -> str:
        """The game's own name of the move."""
        return self.name(state, action)
