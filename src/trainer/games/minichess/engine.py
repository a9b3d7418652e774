"""What other programs call minichess: the variant `gardner` of Fairy-Stockfish."""

from __future__ import annotations

from trainer.games.base import State
from trainer.games.vocabulary import Vocabulary


class ENGINE(Vocabulary):
    """Moves as e2e3, and a4a5q for a promotion."""

    uci_variant = "gardner"

    def uci_move(self, state: State, action: int) -> str:
        """The game's own name of the move."""
        return self.name(state, action)
