"""What other programs call the moves of Go: as usual in GTP, with the komi."""

from __future__ import annotations

from trainer.games.vocabulary import Vocabulary


class ENGINE(Vocabulary):
    """Points as D4, and the komi of the rules."""

    def gtp_setup(self) -> list[str]:
        """The size of the board, and the komi."""
        return [*super().gtp_setup(), f"komi {self.own.HALF_KOMI / 2:g}"]
