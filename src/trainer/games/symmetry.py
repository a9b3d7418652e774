"""Symmetries of a board, as tables of cells and actions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Symmetry:
    """A renaming of cells and actions under which the rules stay the same.

    `cells[i]` is the cell of the old board that lands on cell i of the new one; `actions[a]` is the old action that becomes
    action a. To apply it to an array: `new = old[cells]`.
    """

    cells: tuple[int, ...]
    actions: tuple[int, ...]

    def __post_init__(self) -> None:
        """Lists and arrays become tuples."""
        object.__setattr__(self, "cells", as_tuple(self.cells))
        object.__setattr__(self, "actions", as_tuple(self.actions))


def as_tuple(table: Iterable[int]) -> tuple[int, ...]:
    """A table as a tuple, which can be compared and is true unless it is empty; NumPy's arrays are neither."""
    return tuple(table.tolist() if isinstance(table, np.ndarray) else table)


def square_symmetries(side: int, further_actions: int = 0) -> tuple[Symmetry, ...]:
    """The eight rotations and reflections of a square board whose actions are its cells.

    `further_actions` more actions after the cells (a pass) stay the same.
    """
    board = np.arange(side * side).reshape(side, side)
    rest = tuple(range(side * side, side * side + further_actions))
    tables = []
    for reflected in (board, board.T):
        for turns in range(4):
            cells = tuple(int(cell) for cell in np.rot90(reflected, turns).ravel())
            tables.append(Symmetry(cells, cells + rest))
    return tuple(tables)


def column_symmetries(width: int, height: int) -> tuple[Symmetry, ...]:
    """The identity and the left-right reflection of a board whose actions are its columns."""
    board = np.arange(width * height).reshape(height, width)
    columns = tuple(range(width))
    return (
        Symmetry(tuple(range(width * height)), columns),
        Symmetry(tuple(int(cell) for cell in board[:, ::-1].ravel()), columns[::-1]),
    )
