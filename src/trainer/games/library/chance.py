"""Refuses rules with chance: their functions would compile, but search, training and storage need games without it."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType
from typing import Any

from trainer.compile.source import reached
from trainer.core.errors import GameError
from trainer.games.library.requirements import COMPILED


def refuse_chance(own: ModuleType, text: bytes, path: Path) -> None:
    """Raise GameError if a function that is called compiled uses random numbers, itself or in a function that it calls.

    Others may, as in a table for a hash that the file makes when it is run, or in a name for people.
    """
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    inside = {
        name: [each for line in node.body for each in ast.walk(line) if isinstance(each, ast.expr)]
        for name, node in functions.items()
    }
    uses = {name: {each.id for each in nodes if isinstance(each, ast.Name)} for name, nodes in inside.items()}
    for name in sorted(reached(uses, COMPILED)):
        hidden = locals_of(functions[name])
        seen = {other: value for other, value in vars(own).items() if other not in hidden}
        for node in inside[name]:
            if is_random(value_of(node, seen)):
                raise GameError(
                    f"{path}, line {node.lineno}: {name} uses random numbers ({ast.unparse(node)}), but games can't have "
                    "chance; the same moves must always lead to the same position"
                )


def locals_of(function: ast.FunctionDef) -> set[str]:
    """The names of a function's parameters and of the variables that it sets."""
    nodes = list(ast.walk(function))
    parameters = {node.arg for node in nodes if isinstance(node, ast.arg)}
    return parameters | {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def value_of(node: Any, namespace: dict[str, Any]) -> Any:
    """What a global, or something of a module (`np.random.randint`), is; None for all other expressions."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    if isinstance(node, ast.Attribute):
        module = value_of(node.value, namespace)
        return getattr(module, node.attr, None) if isinstance(module, ModuleType) else None
    return None


def is_random(value: Any) -> bool:
    """Whether this is a module of random numbers, one of its functions or a generator that it made."""
    if isinstance(value, ModuleType):
        places = [value.__name__]
    else:
        bound_to = getattr(value, "__self__", None)  # random.random is a method of a hidden generator
        places = [str(getattr(value, "__module__", "")), type(value).__module__, type(bound_to).__module__]
    return any(place == "random" or place.startswith("numpy.random") for place in places)
