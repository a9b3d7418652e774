"""Whether the functions of a game compile, and whether numbers in them become floats."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from numba.core import types
from numba.core.ir import Assign, Expr
from numba.extending import is_jitted

from trainer.check.findings import Finding, Level
from trainer.check.subject import Subject
from trainer.compile.linker import link
from trainer.core.errors import KernelError
from trainer.core.python_file import PythonFile
from trainer.games.kernels import CALLED
from trainer.games.library import FoundGame, run_file

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
        "an index is a float; a uint64 combined with an int64 becomes one, so write constants as np.uint64(...) and "
        "indices as int(...)"
    ),
    "Cannot unify": "a variable has one type in one place and another type in another; give it the same type in both",
    "Untyped global name": "it uses a name that compiled code can't use, such as an object; copy the numbers that it needs "
    "into globals of the file",
    "yield in a closure": "it has a generator, as in any(... for ...); write a loop",
}
"""What compilers say, as a pattern, and what it means for the author of the rules."""
QUOTATION = re.compile(r'File "[^"]*", line \d+:.*?\^', re.DOTALL)
"""Where Numba quotes the lines of a file, in which any name may occur."""

BIT_OPERATIONS = {
    *(operator.or_, operator.and_, operator.xor, operator.lshift, operator.rshift),
    *(operator.ior, operator.iand, operator.ixor, operator.ilshift, operator.irshift),
}


def check_compiled(subject: Subject) -> list[Finding]:
    """Compile each function alone and look at the types of its variables."""
    found = subject.found
    foreign = names_of_other_modules(found)
    if foreign:
        return foreign
    module = compilable(found)
    findings = []
    for name, signature in SIGNATURES.items():
        if not hasattr(module, name):
            continue
        try:
            getattr(module, name).compile(signature)
        except Exception as error:  # Numba raises what it likes for code that it does not know
            findings.append(Finding(Level.FAILURE, explained(name, error, found.path)))
            continue
        findings += without_answer(getattr(module, name), signature, found.path)
    findings = findings or [Finding(Level.FAILURE, text) for text in floats(module, found.path)]
    return findings or mixtures(module, found.path)


def without_answer(function: Any, signature: tuple[Any, ...], path: Path) -> list[Finding]:
    """A finding if a compiled function that must return a number or a truth value can return nothing."""
    answers = {"moves": ("the number of moves", "return count"), "wins_next": ("True or False", "return False")}
    name = function.py_func.__name__
    returned = function.overloads[signature].signature.return_type
    if name not in answers or not isinstance(returned, types.NoneType | types.Optional):
        return []
    what, line = answers[name]
    place = f"{path}, line {function.py_func.__code__.co_firstlineno}"
    return [Finding(Level.FAILURE, f"{place}: {name} must return {what} on every path; end it with `{line}`.")]


def names_of_other_modules(found: FoundGame) -> list[Finding]:
    """What the linker refuses, because its text is not part of the file: functions of other modules, for example."""
    try:
        link(own=found.own, called=CALLED)
    except KernelError as error:
        what, _, advice = str(error).partition("; ")
        module = re.search(r"is the module ([\w.]+),", what)
        if module:
            advice = f"import the constants that the rules use of it by name: `from {module[1]} import ...`"
        elif "whose text" in what:
            advice = "the rules must be complete in their file, so copy it into the file, or write it there"
        return [Finding(Level.FAILURE, f"{what}; {advice}.")]
    return []


def compilable(found: FoundGame) -> ModuleType:
    """The game's file, run once more, with each of its functions ready to be compiled; nothing is kept on disk."""
    module = run_file(PythonFile(found.path), f"check_{found.own.__name__}", dict(found.parameters))
    options: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
    for name, value in list(vars(module).items()):
        if callable(value) and getattr(value, "__globals__", None) is vars(module):
            setattr(module, name, numba.njit(**options)(value))
    return module


def explained(name: str, error: Exception, path: Path) -> str:
    """One sentence about why a function doesn't compile, with the line."""
    message = str(error)
    lines = re.findall(rf'File "[^"]*{re.escape(path.name)}", line (\d+)', message) or lines_with_name(message, path)
    line = f"{path}, line {lines[-1]}: " if lines else f"{path}: "
    shown = f" (`{source_line(path, int(lines[-1]))}`)" if lines else ""
    said = QUOTATION.sub("", message)
    meaning = next((text for pattern, text in EXPLAINED.items() if re.search(pattern, said)), "")
    clauses = [text.strip() for text in message.splitlines() if text.strip()]
    told = [text for text in clauses if not text.startswith(("Failed in", "During", "File"))]
    first = told[0] if told else type(error).__name__
    return f"{line}{name} can't be compiled{shown}: {meaning or 'Numba says'}: {first.rstrip('.:')}."


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


def floats(module: ModuleType, path: Path) -> Iterator[str]:
    """A sentence for each line in which a number of the compiled code is a float."""
    seen = set()
    for name, statement, types_of in assignments(module):
        line = statement.loc.line
        if isinstance(types_of[statement.target.name], types.Float) and (name, line) not in seen:
            seen.add((name, line))
            yield (
                f"{path}, line {line}: in {name}, `{source_line(path, line)}` computes with a float"
                f"{cause(statement.value, types_of)}; floats lose the lower bits of words."
            )


def assignments(module: ModuleType) -> Iterator[tuple[str, Any, Any]]:
    """Each assignment in the compiled functions of a module: the function's name, the assignment, the types of variables."""
    for name, function in vars(module).items():
        if is_jitted(function):
            compiled: Any
            for compiled in function.overloads.values():
                typed = compiled.type_annotation
                for block in typed.blocks.values():
                    for statement in block.body:
                        if isinstance(statement, Assign):
                            yield name, statement, typed.typemap


def cause(value: Any, types_of: Any) -> str:
    """Why the value of an expression is a float."""
    if is_operation(value):
        if value.fn in (operator.truediv, operator.itruediv):
            return ", because `/` divides into floats: write `//`"
        if mixes(value, types_of):
            return ", because a uint64 combined with an int64 becomes one: write np.uint64(...) around the other one"
    return ", which also happens where a variable is a uint64 in one place and an int64 in another: give it one type"


def is_operation(value: Any) -> bool:
    """Whether an expression combines two values."""
    return isinstance(value, Expr) and value.op in ("binop", "inplace_binop")


def mixes(value: Any, types_of: Any) -> bool:
    """Whether an operation combines an unsigned word with a signed number, other than a constant."""
    left, right = (str(types_of[each.name]) for each in (value.lhs, value.rhs))
    return (left == "uint64" and right.startswith("int")) or (right == "uint64" and left.startswith("int"))


def mixtures(module: ModuleType, path: Path) -> list[Finding]:
    """A warning if bits of words are combined with signed numbers, which Numba makes floats or signed numbers of.

    Sums aren't looked at: indices such as `WORDS + 2 - mover` are full of them, and harmless.
    """
    lines = set()
    for _, statement, types_of in assignments(module):
        result = types_of[statement.target.name]
        number = isinstance(result, types.Integer | types.Float) and str(result) != "uint64"
        bits = is_operation(statement.value) and statement.value.fn in BIT_OPERATIONS
        if number and bits and mixes(statement.value, types_of):
            lines.add(statement.loc.line)
    if not lines:
        return []
    where = "; ".join(f"line {line}: `{source_line(path, line)}`" for line in sorted(lines)[:5])
    return [
        Finding(
            Level.WARNING,
            f"{path}, {where}: a uint64 is combined with an int64. Some versions of Numba make a float of that, others a "
            "signed number, which is wrong if the upper bit is set. Write np.uint64(...) around the other one.",
        )
    ]
