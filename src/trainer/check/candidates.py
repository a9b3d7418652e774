"""Symmetries that a game may have: those of its board, with what they do to its actions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import Game
from trainer.games.symmetry import Symmetry

Grid = NDArray[np.int64]


def board_symmetries(game: Game) -> Iterator[tuple[str, Symmetry]]:
    """The symmetries of the rectangle or square, by name, if it is clear what they do to the actions."""
    for cells, name in names_of_pictures(game).items():
        actions = actions_under(game, name, cells)
        if actions is not None:
            yield name, Symmetry(cells, actions)


def names_of_pictures(game: Game) -> dict[tuple[int, ...], str]:
    """The names of the symmetries of the board, by their tables of cells. Some are the same on a board of one row or column;
    then the first name counts."""
    names: dict[tuple[int, ...], str] = {}
    for name, grid in pictures(np.arange(game.num_cells).reshape(game.height, game.width)):
        names.setdefault(tuple(int(cell) for cell in grid.ravel()), name)
    return names


def pictures(board: Grid) -> Iterator[tuple[str, Grid]]:
    """Each symmetry of a board [height, width] by name, and the cells as they lie after it."""
    yield "the identity", board
    yield "the left-right reflection", board[:, ::-1]
    yield "the top-bottom reflection", board[::-1]
    yield "the rotation by 180 degrees", board[::-1, ::-1]
    if board.shape[0] == board.shape[1]:
        yield "the rotation by 90 degrees to the left", np.rot90(board)
        yield "the rotation by 90 degrees to the right", np.rot90(board, 3)
        yield "the reflection in the main diagonal (rows become columns)", board.T
        yield "the reflection in the other diagonal", np.rot90(board, 2).T


def actions_under(game: Game, name: str, cells: tuple[int, ...]) -> tuple[int, ...] | None:
    """What a symmetry of the cells does to the actions; None if that isn't clear."""
    if game.action_cells:
        lands = np.argsort(cells)  # the cell on which each one lands
        if len(set(game.action_cells)) < game.num_actions:
            return None
        number = {where: action for action, where in enumerate(game.action_cells)}
        table = np.zeros(game.num_actions, np.int64)
        for action, where in enumerate(game.action_cells):
            image = number.get(tuple(int(lands[cell]) for cell in where))
            if image is None:
                return None
            table[image] = action
        return tuple(int(action) for action in table)
    if game.board_type == "drop_column":
        if name in ("the identity", "the left-right reflection") and game.num_actions == game.width:
            columns = tuple(range(game.width))
            return columns if name == "the identity" else columns[::-1]
        return None
    if game.num_actions < game.num_cells:
        return None
    return cells + tuple(range(game.num_cells, game.num_actions))
