"""The text of a kernel module, asked which names its functions use and where."""

from __future__ import annotations

import ast
import dis
import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import CodeType

from trainer.core.python_file import PythonFile

NOT_FUNCTIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "__annotate__")
"""Python makes functions of these, too, but at the top of a module they run when it is imported."""
IMPORT = dis.opmap["IMPORT_NAME"]

GIVEN = "__parameters__"
"""The global of a module with the values that were given for its parameters, before its text is run. The versions of a
module that differ in it are different modules."""
DECLARED = "__declared__"
"""The global in which a module notes which parameters it has."""


class Source(PythonFile):
    """A file whose functions are compiled."""

    def used_names(self, called: Collection[str] | None = None) -> set[str]:
        """The names that compiled functions of the text use, of globals as well as of attributes.

        These are the `called` functions and all that they use. None: all functions but those that only run when the module
        does, to make a table: functions that are named outside of all functions, and used by no other one.
        """
        uses: dict[str, set[str]] = {}
        for function in functions_in(self.code):
            uses.setdefault(function.co_qualname.partition(".")[0], set()).update(function.co_names)
        if called is None:
            called = uses.keys() - set(names_outside_functions(ast.parse(self.text)))
        return set().union(*(uses[function] for function in reached(uses, called)))

    def imports_in_functions(self) -> Iterator[tuple[int, str]]:
        """Each import inside a function: its line, and the module that is imported."""
        for function in functions_in(self.code):
            if IMPORT not in function.co_code[::2]:  # every other byte is an operation; `dis` alone would take long
                continue
            for step in dis.get_instructions(function):
                if step.opcode == IMPORT:
                    line = step.positions.lineno if step.positions else None
                    yield line or function.co_firstlineno, step.argval

    def line_of(self, name: str) -> int:
        """The line that binds a global; 1 if there is none, as after `import *`."""
        for node in ast.walk(ast.parse(self.text)):  # the outermost statements come first
            match node:
                case ast.alias():
                    bound = node.asname or node.name.partition(".")[0]
                case ast.FunctionDef() | ast.ClassDef():
                    bound = node.name
                case ast.Name(ctx=ast.Store()):
                    bound = node.id
                case _:
                    continue
            if bound == name:
                return node.lineno
        return 1


def reached(uses: Mapping[str, set[str]], roots: Collection[str]) -> set[str]:
    """Some functions and all that they use, if `uses` has the names that each function uses."""
    found: set[str] = set()
    waiting = set(roots) & uses.keys()
    while waiting:
        found.add(function := waiting.pop())
        waiting |= (uses[function] & uses.keys()) - found
    return found


def names_outside_functions(node: ast.AST) -> Iterator[str]:
    """The names that are read when the module is run, as far as its functions don't read them."""
    match node:
        case ast.FunctionDef(decorator_list=decorators, args=ast.arguments(defaults=defaults, kw_defaults=further)):
            inner: Iterable[ast.AST | None] = (*decorators, *defaults, *further)
        case ast.Name(id=name, ctx=ast.Load()):
            yield name
            return
        case ast.Lambda():
            return
        case _:
            inner = ast.iter_child_nodes(node)
    for each in inner:
        if each is not None:
            yield from names_outside_functions(each)


def functions_in(code: CodeType, in_function: bool = False) -> Iterator[CodeType]:
    """The code of the functions inside the code of a module or a class, and of what is inside them."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            is_function = inner.co_flags & inspect.CO_OPTIMIZED and inner.co_name not in NOT_FUNCTIONS
            runs_later = in_function or bool(is_function)
            if runs_later:
                yield inner
            yield from functions_in(inner, runs_later)
