"""A game as an engine hears of it: the moves played so far in its words, and the move that an answer means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.core.errors import EngineError
from trainer.games.base import State
from trainer.games.positions import Positions
from trainer.games.vocabulary import action_named

Naming = Callable[[State, int], str]
"""What an engine calls an action in a position."""


@dataclass(frozen=True)
class Move:
    """A move that was played."""

    player: int
    name: str
    forced: bool
    """There was no other legal move."""


@dataclass(frozen=True)
class TranslatedGame:
    """A game so far."""

    moves: list[Move]
    player: int
    """The player to move."""
    legal: dict[str, int]
    """The legal actions by their names."""

    def __str__(self) -> str:
        """How messages say where the game is."""
        return f"after {' '.join(move.name for move in self.moves)}" if self.moves else "in the first position"

    def action(self, name: str, command: str) -> int:
        """The legal action of that name, in whichever case it is written. `command` names the engine in the error."""
        action = action_named(self.legal, name)
        if action is None:
            raise EngineError(
                f"the engine {command!r} plays {name!r} {self}, which is not a legal move there; does it play this game by "
                f"the same rules?"
            )
        return action


class GameTranslator:
    """Puts games into an engine's words."""

    def __init__(self, env_id: str, naming: Naming) -> None:
        self._first = Positions(env_id, 1)
        self._naming = naming

    def translated(self, played: Sequence[int]) -> TranslatedGame:
        """The game with these actions."""
        position = self._first.of(self._first.states)
        row = np.zeros(1, np.int64)
        moves = []
        for action in played:
            forced = int(position.legal().sum()) == 1
            moves.append(Move(int(position.mover[0]), self._naming(position.states[0], action), forced))
            position.play(row, np.array([action]))
        legal = {self._naming(position.states[0], int(one)): int(one) for one in np.flatnonzero(position.legal()[0])}
        return TranslatedGame(moves, int(position.mover[0]), legal)
