"""Choosing a move with the arrow keys: target by target, then by name if several moves have the same ones."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.games.base import Game
from trainer.play.game_in_progress import Choice

STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
"""Rows and columns, as seen on the screen."""
ASIDE, ASIDE_OF_EDGES = 1.5, 0.9
"""How much further a target looks that lies to the side of where the arrow points. The nearest edges of a board of edges lie
to the side, at 45 degrees."""


class Picker:
    """What a person has chosen of a move so far. There is at least one legal move."""

    def __init__(self, game: Game, choices: Sequence[Choice], near: int | None = None) -> None:
        """`near`: where the cursor was before."""
        self._game = game
        self.choices = choices
        """All legal moves."""
        self._near = game.num_targets // 2 if near is None else near
        self.chosen: list[int] = []
        """The targets that are chosen."""
        self.named: Choice | None = None
        """The move that would be made, where several have the chosen targets, or have none."""
        self.cursor: int | None = None
        self._settle()

    @property
    def matching(self) -> list[Choice]:
        """The moves that begin with the chosen targets."""
        return [one for one in self.choices if one.cells[: len(self.chosen)] == self.chosen]

    def targets(self) -> list[int]:
        """What can be chosen next."""
        at = len(self.chosen)
        return sorted({one.cells[at] for one in self.matching if len(one.cells) > at})

    def go(self, direction: str) -> None:
        """Move the cursor to the nearest target in a direction, a key of STEPS, or on to the next name."""
        if self.named is not None:
            names = self.matching
            step = 1 if direction in ("right", "down") else -1
            self.named = names[(names.index(self.named) + step) % len(names)]
            return
        assert self.cursor is not None
        down, right = STEPS[direction]
        weight = ASIDE_OF_EDGES if self._game.board_type == "edges" else ASIDE
        row, column = self._place(self.cursor)
        best, least = self.cursor, float("inf")
        for target in self.targets():
            other_row, other_column = self._place(target)
            ahead = (other_row - row) * down + (other_column - column) * right
            aside = abs((other_row - row) * right) + abs((other_column - column) * down)
            if ahead > 0 and ahead + weight * aside < least:
                best, least = target, ahead + weight * aside
        self.cursor = best

    def choose(self) -> Choice | None:
        """Choose what the cursor is at; returns the move once it is complete."""
        if self.named is not None:
            return self.named
        assert self.cursor is not None
        self._near = self.cursor
        self.chosen.append(self.cursor)
        complete = self.matching
        if len(complete) == 1 and len(complete[0].cells) == len(self.chosen):
            return complete[0]
        self._settle()
        return None

    def back(self) -> None:
        """Forget the target that was chosen last."""
        if self.chosen:
            self._near = self.chosen.pop()
            self._settle()

    def _settle(self) -> None:
        """Put the cursor on the target that is nearest to where it was; or offer names if there are no targets left."""
        targets = self.targets()
        self.named = None if targets else self.matching[0]
        self.cursor = None
        if targets:
            row, column = self._place(self._near)

            def away(target: int) -> float:
                other_row, other_column = self._place(target)
                return abs(other_row - row) + abs(other_column - column)

            self.cursor = min(targets, key=away)

    def _place(self, target: int) -> tuple[float, float]:
        """Row and column of a target, as seen on the screen."""
        game = self._game
        if game.board_type == "drop_column":
            return 0, target
        row, column = divmod(target, game.width)
        shift = row / 2 if game.board_type == "hex" else 0
        return (game.height - 1 - row if game.bottom_row_first else row), column + shift
