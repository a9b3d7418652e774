"""A position as coloured text. A target is what one can choose: a cell, or a column of a board of columns."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from rich.text import Text

from trainer.games.base import FIRST, SECOND, Game
from trainer.games.position import Position
from trainer.play.drawing import NOBODY, owners, target_names

COLOURS = {
    "black": "bold blue",
    "white": "bold",
    "red": "bold red",
    "blue": "bold blue",
    "yellow": "bold yellow",
    "green": "bold green",
}
"""Of players that are called after a colour. Black is blue, because a terminal may be black; White has the terminal's own
colour, because a terminal may be white."""
OTHER_COLOURS = {FIRST: "bold cyan", SECOND: "bold magenta"}
"""Of players that aren't."""
LABEL = "dim"
EMPTY = "dim"


@dataclass(frozen=True)
class Marks:
    """What is shown beside the pieces."""

    cursor: int | None = None
    """The target that would be chosen."""
    chosen: Collection[int] = ()
    """Targets that are chosen already, of a move with several."""
    changed: Collection[int] = ()
    """Cells that the last move changed."""


class BoardText:
    """Draws the positions of one game."""

    def __init__(self, first: Position) -> None:
        """`first` is the position in which games start."""
        self.game: Game = first.rules.GAME
        self._owners = owners(self.game)
        self._styles = {player: colour_of(self.game, player) for player in (FIRST, SECOND)}
        self._columns, self._rows = labels(self.game, target_names(first))

    def draw(self, position: Position, marks: Marks) -> Text:
        """The board, with the names of its rows and columns."""
        game = self.game
        if game.board_type == "edges":
            return self._edges(position, marks)
        rows = list(range(game.height))
        text = Text(no_wrap=True, overflow="crop")
        wide, margin = max(map(len, self._columns)), max(map(len, self._rows))
        if game.board_type == "drop_column":
            marked = (marks.cursor, *marks.chosen)
            arrows = (("v" if column in marked else "").rjust(wide) for column in range(game.width))
            text.append(" " * margin + " " + " ".join(arrows) + "\n", "bold")
        board = position.cells
        for at, row in enumerate(reversed(rows) if game.bottom_row_first else rows):
            text.append(" " * at if game.board_type == "hex" else "")
            text.append(self._rows[row].rjust(margin) + " ", LABEL)
            for column in range(game.width):
                cell = row * game.width + column
                text.append(" " * (wide - 1))
                text.append(self._symbol(int(board[cell])), self._style(int(board[cell]), cell, marks))
                text.append(" " if column + 1 < game.width else "")
            text.append("\n")
        indent = " " * (game.height if game.board_type == "hex" else 0)
        text.append(indent + " " * margin + " " + " ".join(name.rjust(wide) for name in self._columns), LABEL)
        return text

    def _edges(self, position: Position, marks: Marks) -> Text:
        """Dots, the lines between them, and boxes."""
        game, board = self.game, position.cells
        text, margin = Text(no_wrap=True, overflow="crop"), max(map(len, self._rows))
        for row in range(game.height):
            text.append(self._rows[row].rjust(margin) + " ", LABEL)
            for column in range(game.width):
                cell = row * game.width + column
                code, style = int(board[cell]), self._style(int(board[cell]), cell, marks)
                if row % 2 == 0 and column % 2 == 0:
                    text.append("+", LABEL)
                elif row % 2 == 0:
                    text.append("---" if code else " . ", style)
                elif column % 2 == 0:
                    text.append("|" if code else ".", style)
                else:
                    text.append(f" {self._symbol(code).replace('.', ' ')} ", style)
            text.append("\n")
        names = (name if column % 2 == 0 else f" {name} " for column, name in enumerate(self._columns))
        text.append(" " * margin + " " + "".join(names), LABEL)
        return text

    def _symbol(self, code: int) -> str:
        return self.game.cell_symbols[code]

    def _style(self, code: int, cell: int, marks: Marks) -> str:
        """How a cell is drawn."""
        owner = self._owners[code] if code < len(self._owners) else NOBODY
        words = [self._styles[owner] if owner != NOBODY else "bold" if code else EMPTY]
        columns = self.game.board_type == "drop_column"
        if not columns and (cell == marks.cursor or cell in marks.chosen):
            words.append("reverse")
        if cell in marks.changed:
            words.append("underline")
        return " ".join(words)


def colour_of(game: Game, player: int) -> str:
    """The style of a player's pieces."""
    return COLOURS.get(game.name_of(player).lower(), OTHER_COLOURS[player])


def labels(game: Game, names: list[str]) -> tuple[list[str], list[str]]:
    """What is written at each column and at each row: the parts of the cells' names, or nothing if the names have none."""
    if game.board_type == "drop_column":
        return names, [""] * game.height
    parts = [re.fullmatch(r"([A-Za-z]+)(\d+)", name) for name in names]
    found = [(part[1], part[2]) for part in parts if part]
    if len(found) < len(names):
        return [" "] * game.width, [""] * game.height
    return [column for column, _ in found[: game.width]], [row for _, row in found[:: game.width]]
