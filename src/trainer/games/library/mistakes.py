"""Why rules don't compile: each of a game's functions, compiled alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba
from numba.core import types
from numba.core.errors import NumbaError
from numba.extending import is_jitted

from trainer.core.python_file import PythonFile
from trainer.games.library.found_game import FoundGame
from trainer.games.library.source_file import run_file

STATE, MASK, MOVES, BOARD = types.uint64[::1], types.boolean[::1], types.int32[::1], types.uint8[::1]
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "start": (STATE,),
    "legal": (STATE, MASK),
    "moves": (STATE, MOVES),
    "play": (STATE, types.int64),
    "cells": (STATE, BOARD),
    "from_cells": (BOARD, STATE),
    "features": (STATE, BOARD),
    "wins_next": (STATE, MASK),
}
"""The arguments of the functions that are compiled."""
EXPLAINED = {
    "NameError|is not defined": "it uses a name that the file doesn't define",
    "readonly array": (
        "it writes into an array of the file, which is a constant once compiled; for memory to work in, add words to the "
        "state (Scratch memory in docs/adding-a-game.md)"
    ),
    r"getitem\(Tuple": ("the rows of a table differ in length; fill them up with -1 and make the table an np.array"),
    # Without memory management not even NumPy's functions can return an array that they make. Empty lists have no type yet.
    r"NRT required|Only accept returning of array|reflected list|list\(undefined|DictType\[undefined": (
        "it makes an array, a list or a string; compiled rules can't allocate memory, so make tables at the top of the "
        "file, and for memory to work in add words to the state (Scratch memory in docs/adding-a-game.md)"
    ),
    "array index type float|getitem.*float64|setitem.*float64": (
        "an index is a float; `/` makes one, so write `//`, and so does a uint64 combined with an int64, so write constants "
        "as np.uint64(...) and indices as int(...)"
    ),
    "Cannot unify": "a variable has one type in one place and another type in another; give it the same type in both",
    "Untyped global name": "it uses a name that compiled code can't use, such as an object; copy the numbers that it needs "
    "into globals of the file",
    "yield in a closure": "it has a generator, as in any(... for ...); write a loop",
}
"""What compilers say, as a pattern, and what it means for the author of the rules."""
QUOTATION = re.compile(r'File "[^"]*", line \d+:.*?\^', re.DOTALL)
"""Where Numba quotes the lines of a file, in which any name may occur."""
ANSWERS = {"moves": ("the number of moves", "return count"), "wins_next": ("True or False", "return False")}
"""What functions must return, and how they can end."""


def mistake_in(found: FoundGame, heuristic: ModuleType | None, error: Exception) -> str | None:
    """What Numba refuses in somebody's rules, in the words of `mistakes`, or in the heuristic beside them, which raised
    `error` when they were compiled for use. None: neither has a mistake."""
    text = next(mistakes(compilable(found), found.path), None)
    if text is None and heuristic is not None and isinstance(error, NumbaError):
        text = explained(heuristic.value.__code__, error, Path(str(heuristic.__file__)))
    return text and text.rstrip(".")


def mistakes(module: ModuleType, path: Path) -> Iterator[str]:
    """A sentence about each function of a `compilable` module that Numba refuses, or that can return nothing where it must
    answer. It begins with the file `path` and the line."""
    for name, signature in SIGNATURES.items():
        function: Any = getattr(module, name, None)
        if not is_jitted(function):  # the game has none, or Numba is switched off
            continue
        try:
            function.compile(signature)
        except Exception as error:  # Numba raises what it likes for code that it does not know
            yield explained(function.py_func.__code__, error, path)
            continue
        compiled: Any = function.overloads[signature]
        returned = compiled.signature.return_type
        if name in ANSWERS and isinstance(returned, types.NoneType | types.Optional):
            what, line = ANSWERS[name]
            place = f"{path}, line {function.py_func.__code__.co_firstlineno}"
            yield f"{place}: {name} must return {what} on every path; end it with `{line}`."


def compilable(found: FoundGame) -> ModuleType:
    """The game's file, run once more, with each of its functions ready to be compiled; nothing is kept on disk."""
    module = run_file(PythonFile(found.path), f"check_{found.own.__name__}", dict(found.parameters))
    options: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
    for name, value in list(vars(module).items()):
        if callable(value) and getattr(value, "__globals__", None) is vars(module):
            setattr(module, name, numba.njit(**options)(value))
    return module


def explained(code: CodeType, error: Exception, path: Path) -> str:
    """One sentence about why a function doesn't compile, with the line: the innermost one, which Numba names first."""
    message = str(error)
    quoted = re.findall(rf'File "[^"]*{re.escape(path.name)}", line (\d+)', message) or lines_with_name(message, path)
    lines = quoted or re.findall(rf"{re.escape(str(path))} \((\d+)\)", message)
    line = int(lines[0]) if lines else code.co_firstlineno
    said = QUOTATION.sub("", message)
    meaning = next((text for pattern, text in EXPLAINED.items() if re.search(pattern, said)), "")
    clauses = [text.strip() for text in message.splitlines() if text.strip()]
    told = [text for text in clauses if not text.startswith(("Failed in", "During", "File"))]
    first = told[0] if told else type(error).__name__
    where, what = f"{path}, line {line}", f"{code.co_name} can't be compiled (`{source_line(path, line)}`)"
    return f"{where}: {what}: {meaning or 'Numba says'}: {first.rstrip('.:')}."


def lines_with_name(message: str, path: Path) -> list[str]:
    """The first line that has the name which a message says is not defined."""
    for name in re.findall(r"name '(\w+)' is not defined", message):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(rf"\b{name}\b", line):
                return [str(number)]
    return []


def source_line(path: Path, line: int) -> str:
    """A line of a file, without its indentation."""
    lines = path.read_text().splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
