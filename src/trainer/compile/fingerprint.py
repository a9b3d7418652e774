"""The value of a kernel module's global, as text. If two texts are equal, compiled code can't tell the values apart."""

from __future__ import annotations

import enum
import hashlib
import inspect
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, Literal

import numpy as np
from llvmlite import ir
from numba.core.types import Type

VERSIONED = sys.stdlib_module_names | {"numpy", "numba", "llvmlite"}
"""Packages whose versions are part of every key. The name of something from them is enough."""
LONGEST = 120
"""Characters of a fingerprint; what is longer is shortened, and a hash added."""


class UnknownValueError(Exception):
    """A value that has no fingerprint: what it is, and what to do instead."""

    def __init__(self, what: str, remedy: str, reachable: bool = False) -> None:
        """`reachable`: kernels of other modules could use it, too, as `module.name`."""
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.reachable = reachable


class Fingerprints:
    """The fingerprints of a module's globals."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        """`namespace`: the globals, of which `__name__` is the module's name."""
        self._namespace = namespace
        self._open: list[Any] = []  # functions and classes that are being described

    def of(self, value: Any) -> str:
        """The fingerprint of a value. Raises UnknownValueError if it has none."""
        if any(value is each for each in self._open):
            return "itself"
        found = self._describe(value)
        return found if len(found) <= LONGEST else f"{found[:LONGEST]}... {hash_of(found.encode())}"

    def _describe(self, value: Any) -> str:
        """One line of text. The order of the questions matters, because a value can be of several kinds."""
        if value is None or value is ... or type(value) in (bool, int, float, complex, str, bytes):
            return f"{type(value).__name__} {value!r}"
        if isinstance(value, enum.Enum):
            return f"{self._of_class(type(value))}.{value.name}"
        if isinstance(value, np.dtype):
            return f"dtype {value!r}"
        if isinstance(value, np.number | np.bool_):
            return f"{value.dtype} {value!r}"
        if isinstance(value, np.generic | np.ndarray):
            return f"{type(value).__name__} {self._of_array(np.asarray(value))}"
        if type(value) is tuple:
            return f"tuple ({self._of_all(value)})"
        if type(value) is frozenset:
            return f"frozenset {sorted(map(self.of, value))}"
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return f"{self._of_class(type(value))} ({self._of_all(value)})"
        if not isinstance(value, type) and is_dataclass(value) and getattr(value, "__dataclass_params__").frozen:  # noqa: B009
            return f"{type(value).__qualname__} ({self._of_all(getattr(value, each.name) for each in fields(value))})"
        if isinstance(value, types.ModuleType):
            return self._of_module(value)
        if isinstance(value, type):
            return self._of_class(value)
        if isinstance(value, types.GenericAlias | types.UnionType) or type(value).__module__ == "typing":
            return f"type {value!r}"
        name = getattr(value, "__name__", "")
        if name and getattr(np, name, None) is value:  # universal functions don't say which module they are of
            return f"function numpy.{name}"
        if inspect.isfunction(value) or inspect.isbuiltin(value):
            return self._of_function(value)
        if isinstance(value, Type):
            return f"{self._of_class(type(value))} {value}"
        if isinstance(value, ir.Type | ir.Constant):
            return f"LLVM {value}"
        if type(value).__module__.partition(".")[0] == "numba":
            return self._of_compiled(value)
        raise UnknownValueError(
            f"a {type(value).__name__}, which could change",
            "make it a number, a string, a tuple or a NumPy array",
        )

    @contextmanager
    def _describing(self, thing: Any) -> Iterator[None]:
        """A function's closure, or a class's attributes, may lead back to it."""
        self._open.append(thing)
        try:
            yield
        finally:
            self._open.pop()

    def _of_all(self, values: Iterable[Any]) -> str:
        return ", ".join(map(self.of, values))

    def _of_array(self, array: np.ndarray[Any, Any]) -> str:
        """Type, shape and a hash of the contents. The bytes between the fields of a record mean nothing."""
        if array.dtype.hasobject:
            raise UnknownValueError("a NumPy array of Python objects", "give it a numeric type")
        if array.dtype.names:
            content = ", ".join(self._of_array(array[name]) for name in array.dtype.names)
        else:
            content = hash_of(array.tobytes())
        return f"{array.dtype!r} {array.shape} {order_of(array)} {content}"

    def _of_module(self, module: types.ModuleType) -> str:
        name = module.__name__
        if is_versioned(name):
            return f"module {name}"
        raise UnknownValueError(
            f"the module {name}, whose text is not part of the key",
            f"for a module of kernels write `{name.rpartition('.')[2]}: ModuleType` instead of the import and link it, too; "
            "from any other module import constants by name",
            reachable=True,
        )

    def _of_function(self, function: Any) -> str:
        """A function of this module is known by its line, its bytecode, and the values that were computed for it."""
        if inspect.isfunction(function) and function.__globals__ is self._namespace:
            computed = [cell.cell_contents for cell in function.__closure__ or ()]
            computed += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
            try:
                with self._describing(function):
                    found = self._of_all(computed)
            except UnknownValueError as unknown:
                what = f"a function with {unknown.what}, as a default or in its closure"
                raise UnknownValueError(what, unknown.remedy, reachable=True) from None
            place = f"line {function.__code__.co_firstlineno} {hash_of_code(function.__code__)[:8]}"
            return f"function {function.__qualname__} {place} ({found})"
        if is_versioned(function.__module__):
            return f"function {function.__module__}.{function.__qualname__}"
        raise UnknownValueError(
            f"a function of {function.__module__}, whose text is not part of the key",
            f"write `{str(function.__module__).rpartition('.')[2]}: ModuleType` instead of the import, link that module, "
            "too, and call the function as its attribute",
        )

    def _of_class(self, kind: Any) -> str:
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return f"named tuple {kind.__qualname__} {kind._fields} ({self._of_all(kind._field_defaults.values())})"
        if issubclass(kind, enum.Enum):
            members = (f"{each}: {self.of(member.value)}" for each, member in kind.__members__.items())
            return f"enum {kind.__qualname__} ({', '.join(members)})"
        if is_versioned(kind.__module__):
            return f"class {kind.__module__}.{kind.__qualname__}"
        if kind.__module__ != self._namespace["__name__"]:
            raise UnknownValueError(
                f"the class {kind.__module__}.{kind.__qualname__}, whose text is not part of the key",
                "of classes in other modules, kernels may use named tuples and enums",
            )
        found = []
        with self._describing(kind):
            for attribute, value in sorted(vars(kind).items()):
                if attribute in ("__annotate__", "__annotate_func__"):
                    continue  # in Python 3.14 they compute the annotations, which compiled code doesn't see
                inner = getattr(value, "__func__", value)  # of a static or class method
                if inspect.isfunction(inner) or not (attribute.startswith("__") or attribute == "_abc_impl"):
                    found.append(f"{attribute}: {self.of(inner)}")
        return f"class {kind.__qualname__} ({', '.join(found)})"

    def _of_compiled(self, value: Any) -> str:
        """Of the things that Numba makes of functions, only an `@intrinsic` of this module is allowed."""
        source = getattr(value, "__wrapped__", None)
        own = inspect.isfunction(source) and source.__globals__ is self._namespace
        if own and type(value).__module__ == "numba.core.extending":
            return f"intrinsic {self._of_function(source)}"
        raise UnknownValueError(
            f"something compiled by Numba ({type(value).__name__}), whose dependencies are not part of the key",
            "remove the decorator if it is of this module, because the linker compiles every function; for one of another "
            "module, annotate that module (`rules: Rules`) and link it, too",
            reachable=True,
        )


def order_of(array: np.ndarray[Any, Any]) -> Literal["C", "F"]:
    """The order in which compiled code has an array's elements: rows first ("C"), or columns ("F") if the array has that."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def is_versioned(module: str | None) -> bool:
    """Whether something from a module of this name is described by the versions of packages."""
    return (module or "").partition(".")[0] in VERSIONED


def hash_of_code(code: types.CodeType) -> str:
    """Tells functions of one line apart: by what they do and, where Python knows it, by their columns."""
    constants = []
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            constants.append(hash_of_code(each))
        else:  # the order of a set of texts differs from process to process
            constants.append(repr(sorted(map(repr, each)) if isinstance(each, frozenset) else each))
    parts = (code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_linetable, constants)
    return hash_of(repr(parts).encode())


def hash_of(content: bytes) -> str:
    """SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
