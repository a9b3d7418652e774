"""What other programs call breakthrough: the variant of that name of Fairy-Stockfish, which is on 8x8."""

from __future__ import annotations

from types import ModuleType

from trainer.games.base import Game, State
from trainer.games.vocabulary import Vocabulary


class ENGINE(Vocabulary):
    """Moves as a2a3, captures too."""

    def __init__(self, game: Game, own: ModuleType) -> None:
        super().__init__(game, own)
        self.uci_variant = "breakthrough" if (game.width, game.height) == (8, 8) else None

    def gtp_move(self, state: State, action: int) -> str:
        """The two cells."""
        return self.uci_move(state, action)
