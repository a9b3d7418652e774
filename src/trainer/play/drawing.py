"""What the page and the terminal must know of a game to draw its board and to understand choices on it."""

from __future__ import annotations

from collections import Counter

from trainer.games.base import FIRST, SECOND, Game, Seats
from trainer.games.position import Position, cell_name

NOBODY = 0


def owners(game: Game) -> list[int]:
    """For each code of a cell the player whose piece it is, or NOBODY.

    Of two codes that the exchange of seats exchanges, the smaller is the first player's.
    """
    codes = (game.seats or Seats()).codes
    others = (codes[code] if code < len(codes) else code for code in range(len(game.cell_symbols)))
    return [NOBODY if other == code else FIRST if code < other else SECOND for code, other in enumerate(others)]


def clicked_cells(game: Game) -> list[list[int]]:
    """For each action what one clicks on, in order: cells, or a column of a board of columns; nothing for a pass."""
    if game.action_cells:
        return [list(cells) for cells in game.action_cells]
    return [[action] if action < game.num_targets else [] for action in range(game.num_actions)]


def target_names(first: Position) -> list[str]:
    """The names of all cells, or columns: that of the only move that is a single click there, else the usual one."""
    game: Game = first.rules.GAME
    names = [cell_name(game, target) for target in range(game.num_targets)]
    clicked = clicked_cells(game)
    moves = Counter(cells[0] for cells in clicked if len(cells) == 1)
    for action, cells in enumerate(clicked):
        if len(cells) == 1 and moves[cells[0]] == 1:  # not where one of several pieces is dropped
            try:
                names[cells[0]] = first.name(action)
            except Exception:  # whatever somebody's file raises for a move that isn't legal
                continue
    return names


def has_owned_sides(game: Game) -> bool:
    """Whether each player has two sides of the board: hexagons whose cells the exchange of seats exchanges."""
    return game.board_type == "hex" and game.seats is not None and game.seats.cells is not None
