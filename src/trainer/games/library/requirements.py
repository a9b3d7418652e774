"""What a file with rules must have."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields, replace
from operator import index
from pathlib import Path
from types import ModuleType
from typing import Any, SupportsIndex

from trainer.core.errors import GameError, shortened
from trainer.games.base import Game
from trainer.games.symmetry import Symmetry

ENV_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""It names folders and rows, stands in addresses, and must not look like a path or like a name with parameters."""

COMPILED = ("start", "legal", "moves", "play", "cells", "from_cells", "features", "wins_next")
"""The functions of a file with rules that are called compiled."""
FOR_PEOPLE = ("name", "text", "score")
"""Those that are plain Python."""


def check_env_id(game: Game, path: Path) -> None:
    """Raise GameError for an env_id that is not a plain word."""
    if not ENV_ID.fullmatch(game.env_id):
        raise GameError(
            f"{path} calls its game {game.env_id!r}, which is not a plain word; give its GAME an env_id that begins with a "
            f"letter and has only letters, digits, - and _"
        )


def with_integers(game: Game, path: Path) -> Game:
    """The game with its numbers as Python's integers: databases and JSON can't hold NumPy's.

    Raises GameError for a number that isn't an integer, or too small. The hash of the rules is that of the numbers as given.
    """
    numbers: dict[str, Any] = {}
    for field in fields(Game):
        if field.type != "int":  # annotations are text here
            continue
        value, least = getattr(game, field.name), 1 if field.default is MISSING else 0
        whole = isinstance(value, SupportsIndex)
        if not whole or index(value) < least:
            advice = "" if whole else " (divide by //, not by /)"
            raise GameError(
                f"{path} gives its GAME {field.name}={shortened(value)}; it must be an integer of at least {least}{advice}"
            )
        numbers[field.name] = index(value)
    return replace(game, **numbers)


def check_tables(game: Game, path: Path) -> None:
    """Raise GameError if a table of the game's symmetries or of its Seats has another size, or a number twice.

    Kernels read by these tables without a check. Codes are only looked at by `check`.
    """
    if not isinstance(game.symmetries, tuple | list) or not all(isinstance(one, Symmetry) for one in game.symmetries):
        raise GameError(
            f"{path}: symmetries must be a tuple of Symmetry; write (Symmetry(cells, actions),) for a single one"
        )
    sizes = {
        "cells": game.num_cells,
        "planes": game.planes,
        "features": game.features,
        "actions": game.num_actions,
    }
    tables = [("Seats", name, getattr(game.seats, name) or None) for name in sizes] if game.seats else []
    for number, symmetry in enumerate(game.symmetries):
        tables += [(f"symmetries[{number}]", name, getattr(symmetry, name)) for name in ("cells", "actions")]
    for owner, name, table in tables:
        if table is not None and sorted(table) != list(range(sizes[name])):
            raise GameError(
                f"{path}: {owner}.{name} must have each number from 0 to {sizes[name] - 1} once; it has "
                f"{len(table)} numbers, {len(set(table))} different ones, from {min(table, default=0)} to "
                f"{max(table, default=0)}"
            )


def check_functions(own: ModuleType, game: Game, path: Path) -> None:
    """Raise GameError for rules that lack a function or one of two that belong together, or have a variable of that name."""
    given = {name: vars(own)[name] for name in (*COMPILED, *FOR_PEOPLE) if name in vars(own)}
    for name, value in given.items():
        if not callable(value):
            raise GameError(
                f"{path} has a variable {name} ({type(value).__name__}), but {name} must be a function in rules; rename the "
                "variable"
            )
    has = {name: name in given for name in COMPILED}
    if not has["play"]:
        raise GameError(f"{path} has no function play(state, action)")
    if has["legal"] == has["moves"]:
        raise GameError(f"{path} must have one of the functions legal(state, mask) and moves(state, found)")
    if has["cells"] != has["from_cells"]:
        raise GameError(f"{path} must have both of cells(state, board) and from_cells(board, state), or neither")
    if not has["features"] and (game.planes, game.features) != (2, 0):
        raise GameError(
            f"{path} has {game.planes} planes and {game.features} features, so it needs features(state, out)"
        )
    if game.forced_wins and not has["wins_next"]:
        raise GameError(f"{path} sets forced_wins, so it needs wins_next(state, mask)")
