"""One game between a person and the model. It knows the rules, but nothing of searches or requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from trainer.games.base import DRAW, FIRST, OPEN, SECOND, Game
from trainer.games.position import Position
from trainer.play.drawing import clicked_cells


class MoveError(Exception):
    """A move that can't be made; the message is a sentence for the person."""


@dataclass(frozen=True)
class Choice:
    """One legal move."""

    action: int
    name: str
    cells: list[int]
    """What one clicks on for it, in order: cells, or a column."""
    changes: list[int]
    """The cells that it would change, the cell of a new stone first."""
    codes: list[int]
    """What would be on those cells."""


@dataclass
class GameInProgress:
    """The game so far. `positions[p]` is the position before ply p, and `actions[p]` the move made there."""

    rules: Any
    """The compiled rules."""
    human: int
    """The person's seat, FIRST or SECOND."""
    simulations: int
    """Simulations before each of the model's moves."""
    positions: list[Position]
    actions: list[int] = field(default_factory=list)

    @classmethod
    def new(cls, rules: Any, human: int, simulations: int) -> Self:
        """A game at its start."""
        return cls(rules, human, simulations, [Position.first(rules)])

    @property
    def env_id(self) -> str:
        """Which game is played."""
        return self.dimensions.env_id

    @property
    def dimensions(self) -> Game:
        """The game's dimensions and words."""
        dimensions: Game = self.rules.GAME
        return dimensions

    @property
    def position(self) -> Position:
        """The position now."""
        return self.positions[-1]

    @property
    def ply(self) -> int:
        """The number of moves made."""
        return len(self.actions)

    @property
    def over(self) -> bool:
        """Somebody has won, or it is a draw."""
        return self.position.winner != OPEN

    @property
    def model_to_move(self) -> bool:
        """It is the model's turn."""
        return not self.over and self.position.mover != self.human

    def play(self, action: int) -> None:
        """Make a legal move for the mover."""
        self.positions.append(self.position.play(action))
        self.actions.append(action)

    def undo(self) -> None:
        """Take back the person's last move and everything after it. Raises MoveError if the person has not moved yet."""
        for ply in reversed(range(self.ply)):
            if self.positions[ply].mover == self.human:
                del self.positions[ply + 1 :], self.actions[ply:]
                return
        raise MoveError("There is no move of yours to take back.")

    def choices(self) -> list[Choice]:
        """The legal moves now."""
        position = self.position
        before = position.cells
        clicked = clicked_cells(self.dimensions)
        found = []
        for action in position.legal:
            after = position.after(action).cells  # `play` would list the legal moves again
            changed = [int(cell) for cell in (before != after).nonzero()[0]]
            changed.sort(key=lambda cell: (after[cell] == 0, before[cell] != 0, cell))
            codes = [int(after[cell]) for cell in changed]
            found.append(Choice(action, position.name(action), clicked[action], changed, codes))
        return found

    def changed_since_person(self) -> list[int]:
        """The cells that changed with the moves since the person's last one, or with that one if it is the last."""
        begin = self.ply
        while begin > 0 and self.positions[begin - 1].mover != self.human:
            begin -= 1
        if begin == self.ply:
            begin = max(self.ply - 1, 0)
        return [int(cell) for cell in (self.position.cells != self.positions[begin].cells).nonzero()[0]]

    def winning_line(self) -> list[int]:
        """The cells of the line that won; empty if nobody has won, or the game is not won by a line."""
        length = self.dimensions.line
        if not length or self.position.winner not in (FIRST, SECOND):
            return []
        height, width = self.dimensions.height, self.dimensions.width
        board = self.position.cells.reshape(height, width)
        for row, column in np.argwhere(board == self.position.winner):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                cells = [(int(row) + step * down, int(column) + step * right) for step in range(length)]
                inside = all(0 <= r < height and 0 <= c < width for r, c in cells)
                if inside and all(board[cell] == self.position.winner for cell in cells):
                    return [r * width + c for r, c in cells]
        return []

    def standing(self) -> str:
        """How the game stands, as a sentence for the person."""
        winner = self.position.winner
        if winner == DRAW:
            return "A draw."
        if self.over:
            return "You win." if winner == self.human else "The model wins."
        if self.model_to_move:
            return "The model is thinking."
        return f"Your turn ({self.dimensions.name_of(self.human)})."
