"""One game between a person and the model. It knows the rules, and nothing of searches or requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.games.base import FIRST, OPEN, SECOND, Game
from trainer.games.position import Position
from trainer.replay import shortened
from trainer.web.game.analysis import Mind

LINES = {"tictactoe": 3, "connect4": 4}
"""The games that a straight line of so many stones wins, for showing it."""


class MoveError(Exception):
    """A move that can't be made; the message is a sentence for the person."""


@dataclass
class Duel:
    """The game so far. `positions[p]` is the position before ply p, `actions[p]` the move made there."""

    rules: Any
    human: int
    """FIRST or SECOND."""
    simulations: int
    """Of the model, before each of its moves."""
    positions: list[Position]
    actions: list[int] = field(default_factory=list)
    minds: dict[int, Mind] = field(default_factory=dict)
    """What the model thought before each ply, as far as it was asked."""

    @classmethod
    def new(cls, rules: Any, human: int, simulations: int) -> Duel:
        """A game at its start."""
        return cls(rules, human, simulations, [Position.first(rules)])

    @property
    def game(self) -> Game:
        """What is played."""
        game: Game = self.rules.GAME
        return game

    @property
    def position(self) -> Position:
        """The position now."""
        return self.positions[-1]

    @property
    def ply(self) -> int:
        """Moves made."""
        return len(self.actions)

    @property
    def over(self) -> bool:
        """Somebody has won, or it is a draw."""
        return self.position.winner != OPEN

    @property
    def model_to_move(self) -> bool:
        """The model has the move."""
        return not self.over and self.position.mover != self.human

    def play(self, action: int) -> None:
        """Make a move for whoever has it."""
        self.positions.append(self.position.play(action))
        self.actions.append(action)

    def check(self, action: object) -> int:
        """The person's move, if it can be made; raises MoveError."""
        if self.over:
            raise MoveError("The game is over; start a new one.")
        if self.model_to_move:
            raise MoveError("It is not your turn.")
        if not isinstance(action, int) or isinstance(action, bool):
            raise MoveError("The move needs a whole number as its position.")
        if action not in self.position.legal:
            raise MoveError(f"The move {shortened(action)} is not legal here.")
        return action

    def undo(self) -> None:
        """Take back the person's last move and what came after it; raises MoveError where there is none."""
        for ply in reversed(range(self.ply)):
            if self.positions[ply].mover == self.human:
                del self.positions[ply + 1 :], self.actions[ply:]
                for later in [key for key in self.minds if key > ply]:
                    del self.minds[later]
                return
        raise MoveError("There is no move of yours to take back.")

    def changes(self, ply: int) -> dict[str, list[int]]:
        """The cells that each legal move at a ply would change, the cell that gets the new stone first."""
        position = self.positions[ply]
        before = position.cells
        changed: dict[str, list[int]] = {}
        for action in position.legal:
            after = position.play(action).cells
            cells = [int(cell) for cell in (before != after).nonzero()[0]]
            changed[str(action)] = sorted(cells, key=lambda cell: (before[cell] != 0, cell))
        return changed

    def winning_line(self) -> list[int]:
        """The cells of the line that won, in games that are won by one."""
        length = LINES.get(self.game.env_id)
        if length is None or self.position.winner not in (FIRST, SECOND):
            return []
        board = self.position.cells.reshape(self.game.height, self.game.width)
        for row, column in np.argwhere(board == self.position.winner):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                cells = [(int(row) + step * down, int(column) + step * right) for step in range(length)]
                inside = all(0 <= r < self.game.height and 0 <= c < self.game.width for r, c in cells)
                if inside and all(board[cell] == self.position.winner for cell in cells):
                    return [r * self.game.width + c for r, c in cells]
        return []


def seat_of(first: object) -> int:
    """The person's seat by who moves first: "player" or "bot". Raises MoveError for anything else."""
    seats = {"player": FIRST, "bot": SECOND}
    if not isinstance(first, str) or first not in seats:
        raise MoveError('The field "first" must be "player" or "bot".')
    return seats[first]
