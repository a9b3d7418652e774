"""Whether the functions of a game compile, whether their code can be kept, and whether numbers in them become floats."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from numba.core import types
from numba.core.ir import Assign, Expr
from numba.extending import is_jitted

from trainer.check.findings import Finding, Level
from trainer.check.subject import Subject
from trainer.compile.linker import link
from trainer.compile.source import Source
from trainer.compile.tables import large_tables
from trainer.core.errors import KernelError
from trainer.games.kernels import CALLED
from trainer.games.library import FoundGame
from trainer.games.library.mistakes import compilable, mistakes, source_line
from trainer.games.library.requirements import COMPILED

BIT_OPERATIONS = {
    *(operator.or_, operator.and_, operator.xor, operator.lshift, operator.rshift),
    *(operator.ior, operator.iand, operator.ixor, operator.ilshift, operator.irshift),
}


def check_compiled(subject: Subject) -> list[Finding]:
    """Compile each function alone and look at the types of its variables."""
    found = subject.found
    large = large_tables(Source(found.path, found.text), vars(found.own), COMPILED)  # before they are logged
    foreign = names_of_other_modules(found)
    if foreign:
        return foreign
    module = compilable(found)
    failures = [*mistakes(module, found.path)] or [*floats(module, found.path)]
    warnings = [] if failures else [*large, *mixtures(module, found.path)]
    return [*(Finding(Level.FAILURE, text) for text in failures), *(Finding(Level.WARNING, text) for text in warnings)]


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
    return (
        ", which also happens where a variable is a uint64 in one place and an int64 in another: give it one type, such as "
        "np.int64(state[...]), because int(state[...]) stays unsigned"
    )


def is_operation(value: Any) -> bool:
    """Whether an expression combines two values."""
    return isinstance(value, Expr) and value.op in ("binop", "inplace_binop")


def mixes(value: Any, types_of: Any) -> bool:
    """Whether an operation combines an unsigned word with a signed number, other than a constant."""
    left, right = (str(types_of[each.name]) for each in (value.lhs, value.rhs))
    return (left == "uint64" and right.startswith("int")) or (right == "uint64" and left.startswith("int"))


def mixtures(module: ModuleType, path: Path) -> list[str]:
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
        f"{path}, {where}: a uint64 is combined with an int64. Some versions of Numba make a float of that, others a signed "
        "number, which is wrong if the upper bit is set. Write np.uint64(...) around the other one."
    ]
