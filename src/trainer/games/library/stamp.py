"""The stamp, a hash of a game's rules, which rows and models carry; and what keeps it honest: a game's file needs no other
file. Databases (`game_layouts`) and the metadata of models call it `rules`.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from trainer.core.errors import GameError
from trainer.settings.base import Settings

LIBRARIES = {"trainer", "numpy", "numba", *sys.stdlib_module_names}
"""What the rules may import. Their versions aren't part of the hash."""
RECIPE = "RECIPE"
"""The global that says how the loop learns a game. It is none of the rules."""


def stamp_of(text: bytes, parameters: tuple[tuple[str, int], ...], module: ModuleType) -> str:
    """A hash of the rules' text and parameters, and of the constants that they computed or read.

    How the game is learned doesn't count: a recipe has settings that follow the machine, such as its number of threads.
    """
    constants = {name: kept for name, value in vars(module).items() if name[:2] != "__" and (kept := plain(value))}
    content = (without_recipe(text), parameters, sorted(constants.items()))
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def rules_differ(theirs: str | None, ours: str | None) -> bool:
    """Whether rows or a model with the stamp `theirs` are of other rules than those with the stamp `ours`.

    None, or an empty one, on either side is accepted: games of the contract and files of other programs have no stamp.
    """
    return bool(theirs and ours and theirs != ours)


def without_recipe(text: bytes) -> bytes:
    """The rules' text without the lines that give RECIPE its value, except those that have another statement, too."""
    if RECIPE.encode() not in text:
        return text
    lines: dict[bool, set[int]] = {True: set(), False: set()}
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError):  # a damaged copy; whoever runs it hears more
        return text
    for node in statements:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        is_recipe = [target.id for target in targets if isinstance(target, ast.Name)] == [RECIPE]
        lines[is_recipe].update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    left_out = lines[True] - lines[False]
    return b"".join(line for number, line in enumerate(text.splitlines(True), 1) if number not in left_out)


def plain(value: Any) -> tuple[Any, ...] | None:
    """A constant as something whose text is the same in every process; None for functions, modules and other objects.

    Settings are None, too: they have none of the rules, and some of them follow the machine.
    """
    if isinstance(value, Settings):
        return None
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:  # its bytes are addresses
            return plain(value.tolist())
        return ("array", value.dtype.str, value.shape, hashlib.sha256(value.tobytes()).hexdigest())
    if isinstance(value, np.generic):
        return ("number", value.dtype.str, value.item())
    if isinstance(value, bool | int | float | str | bytes) or value is None:
        return ("value", value)
    if isinstance(value, tuple | list):
        return ("row", tuple(plain(one) for one in value))
    if is_dataclass(value) and not isinstance(value, type):
        kept = (field for field in fields(value) if not is_left_out(field, value))
        return (type(value).__name__, tuple(plain(getattr(value, field.name)) for field in kept))
    return None


def is_left_out(field: Field[Any], value: object) -> bool:
    """Whether a field was added after games had been hashed, and has its default."""
    return bool(field.metadata.get("later")) and getattr(value, field.name) == field.default


def refuse_other_files(text: bytes, path: Path) -> None:
    """Raise GameError if a game's file imports from anything but the libraries: its hash couldn't tell a change there, and
    the copy that a run keeps wouldn't have it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return  # running the file says more
    for line, name in imported(tree):
        if name.partition(".")[0] not in LIBRARIES:
            raise GameError(
                f"{path}, line {line}, imports {name}; rules are one file, so that a run can keep a copy of them, and may "
                f"only import trainer, numpy, numba and what comes with Python; move what they need into the file"
            )


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the name of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
