"""Plain Python functions at compiled speed, kept on disk between runs.

    linked = link(lanes, forward, warm_up=lambda linked: linked.forward.evaluate(...))
    linked.forward.evaluate(...)

A *kernel module* is a module of plain functions. It says what it uses of other kernel modules, and for which constants it is
compiled, by annotating globals without giving them a value:

    lanes: ModuleType
    NUM_ACTIONS: int

`link` runs the text of each module once more, as a module of its own, sets those globals, and has Numba compile every
function at its first call. Everything else is imported as usual: constants, named tuples, NumPy.

Kernels don't allocate memory, their callers do: without Numba's memory management a view of an array costs nothing, with it
two atomic operations. A module can set these constants, which hold for all of its functions:

    ALLOCATES = True           they make arrays
    INLINED = True             inline them: faster if small functions pass on large tuples of arrays, slower to compile
    KEEPS_GIL = True           don't release Python's lock: they are so short that getting it back would cost more
    FASTMATH = ("reassoc",)    LLVM flags for floating-point arithmetic

Why the cache can't be stale
----------------------------

The folder of a module's compiled functions has a key in its name, a hash of everything that the machine code depends on:

- the versions of Python, Numba, llvmlite and NumPy, and Numba's settings (Numba itself adds the processor),
- the module's text,
- the constants and the keys of the modules that it binds,
- the values of all other globals: numbers, strings, tuples, arrays, the fields of named tuples, the defaults and closures of
  functions. It doesn't matter where they come from: another module, a file that is read at import, the environment.

What can't be described by its value is refused with a KernelError: other modules, compiled functions, and, if a function
uses them, objects that could change, plain functions and classes of other modules. So is an import inside a function.
`overloads.py` adds the fields of the named tuples that a function gets as arguments. What is not seen: what an `@intrinsic`
reads while it generates code, and code that changes Numba for everybody, such as an `@overload` of NumPy's functions.

A source may be edited while a process runs. Its text is read once, and it is this text that is hashed, run, compiled and
stored. The values in the key are read from the very globals that are then compiled, so they can't differ either; arrays are
made read-only. If the text imports a name from a module that was loaded before an edit, it gets the old value, and so does
the key. The caller has imported the module earlier still, and may have laid out its memory by the constants of that version;
if one of them now has another value, `link` refuses to mix the two.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numba
import numpy as np
from numba.extending import is_jitted

from trainer.compile.cache import keep
from trainer.compile.fingerprint import Fingerprints, UnknownValueError, hash_of, order_of
from trainer.compile.overloads import Overloads, explain_lock
from trainer.compile.source import DECLARED, GIVEN, Source
from trainer.compile.tables import large_tables
from trainer.core.errors import KernelError
from trainer.core.locks import locked

SETTINGS = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE")
"""Numba's settings that change machine code. They come from the environment (NUMBA_OPT, ...) or a configuration file."""

STANDARD = {
    *vars(ModuleType("")),
    "__file__",
    "__builtins__",
    "__annotations__",
    "__annotate__",
    DECLARED,
    GIVEN,
}
"""Globals that are not the text's own."""


class Linked(SimpleNamespace):
    """Compiled modules by name: `linked.forward.evaluate(...)`."""


@dataclass(frozen=True)
class Bound:
    """Something that a kernel module can bind."""

    value: Any
    key: str
    folder: Path | None = None
    """Where its compiled code is kept, if it is a module."""
    uncached: bool = False
    """Whether it, or a module that it binds, uses an array that is too large for its code to be kept."""


_loaded: dict[str, Bound] = {}
"""The compiled modules of this process, by their names in `sys.modules`."""
_loading = threading.Lock()


def link(
    *modules: ModuleType,
    constants: Mapping[str, Any] | None = None,
    warm_up: Callable[[Linked], object] | None = None,
    called: Mapping[str, Collection[str]] | None = None,
    **named: ModuleType,
) -> Linked:
    """Compiled versions of kernel modules. Each can bind the constants and the modules before it.

    A module is bound by the name of its file. Those of `named` come first and are bound by the name given here, so that
    other modules can be linked with one of several.

    `warm_up` is called once, while no other process compiles the last of the modules. It should call every function that
    the caller will need, so that all of them are in the cache when it returns. `called` has, for modules of which only some
    functions are called by others, their names. Raises KernelError for a module that can't be cached safely.
    """
    linked, folder = Linked(), None
    bound = {name: Bound(value, fingerprint_of_constant(name, value)) for name, value in (constants or {}).items()}
    for name, module in [*named.items(), *((stem(module), module) for module in modules)]:
        if name in bound:
            raise ValueError(f"two things to link are named {name}; give one of them another name, by a keyword")
        with _loading:
            bound[name] = _load(module, bound, (called or {}).get(name))
        setattr(linked, name, bound[name].value)
        folder = bound[name].folder
    if warm_up is not None and folder is not None:
        with locked(folder / "compiling", when_taken=explain_lock):
            warm_up(linked)
    return linked


def fingerprint_of_constant(name: str, value: object) -> str:
    """The fingerprint of a constant that modules can bind. Raises KernelError if it has none."""
    try:
        return Fingerprints({"__name__": ""}).of(value)
    except UnknownValueError as unknown:
        raise KernelError(f"the constant {name} is {unknown.what}; {unknown.remedy}") from None


def stem(module: ModuleType) -> str:
    """The name of a module without its package."""
    return module.__name__.rpartition(".")[2]


def open_globals(module: ModuleType) -> set[str]:
    """The globals that a module annotates without giving them a value."""
    return inspect.get_annotations(module).keys() - vars(module).keys()


def _load(module: ModuleType, bound: Mapping[str, Bound], called: Collection[str] | None) -> Bound:
    """The compiled version of a module; made, if this process doesn't have it yet."""
    source = Source(Path(inspect.getfile(module)))
    binds = {name: each for name, each in sorted(bound.items()) if name in inspect.get_annotations(module)}
    settings = [f"numba.{name} {getattr(numba.config, name, None)}" for name in SETTINGS]
    given = {name: value for name, value in vars(module).items() if name == GIVEN}
    depends = [*versions(), *settings, f"text {hash_of(source.text)}", *(f"{name} {given[name]}" for name in given)]
    depends += [f"{name} = {each.key}" for name, each in binds.items()]
    # Numba's files contain this name, so every process must use the same. The whole key isn't known yet.
    name = f"_compiled_{stem(module)}_{hash_of(repr(depends).encode())[:16]}"
    if name not in _loaded:
        copy = source.run(name, module.__package__, **given)
        try:
            refuse_unbound(source, open_globals(copy) - binds.keys(), bound)
            values = checked_globals(source, copy, called)
            refuse_mixture(source, copy, values, module)
            depends += [f"{name}: {value}" for name, value in values.items()]
            large = large_tables(source, vars(copy), called, logged=True)
            uncached = bool(large) or any(each.uncached for each in binds.values())
            _loaded[name] = _compiled(source, copy, binds, module, depends, uncached)
        except BaseException:
            del sys.modules[name]
            raise
    return _loaded[name]


@cache
def versions() -> tuple[str, ...]:
    """The versions that every kernel depends on."""
    return (f"python {sys.version}", *(f"{name} {version(name)}" for name in ("numba", "llvmlite", "numpy")))


def refuse_unbound(source: Source, names: Iterable[str], bound: Mapping[str, Bound]) -> None:
    """Raise KernelError for a global that is annotated, but neither has a value nor is linked."""
    for name in sorted(names):
        raise KernelError(
            f"{source.path}, line {source.line_of(name)}: {name} is annotated, but it has no value and is not linked before "
            f"this module ({', '.join(sorted(bound)) or 'nothing'} is); link {name}, too, or give it a value"
        )


def checked_globals(source: Source, copy: ModuleType, called: Collection[str] | None) -> dict[str, str]:
    """The fingerprints of a module's globals by name. Raises KernelError for what can't be part of the key.

    What only other functions than the `called` ones use may be anything; see `Source.used_names`.
    """
    for line, imported in source.imports_in_functions():
        raise KernelError(
            f"{source.path}, line {line}: a function imports {imported}, which the key of compiled code can't see; "
            "import it at the top of the module"
        )
    used, values = source.used_names(called), {}
    refused: list[tuple[str, UnknownValueError]] = []
    fingerprints = Fingerprints(vars(copy))
    for name, value in sorted(vars(copy).items()):
        if name in STANDARD:
            continue
        try:
            values[name] = fingerprints.of(value)
        except UnknownValueError as unknown:
            if unknown.reachable or name in used:
                refused.append((name, unknown))
    if refused:
        (name, first), *others = refused
        further = ", ".join(f"{other} (line {source.line_of(other)})" for other, _ in others)
        more = f". Look at {further}, too" if further else ""
        raise KernelError(f"{source.path}, line {source.line_of(name)}: {name} is {first.what}; {first.remedy}{more}")
    return values


def refuse_mixture(source: Source, copy: ModuleType, values: Mapping[str, str], module: ModuleType) -> None:
    """Raise KernelError if a constant or named tuple of the text is another one in `module`, as this process imported it."""
    fingerprints = Fingerprints(vars(module))
    for name, value in values.items():
        is_code = callable(vars(copy)[name]) and not hasattr(vars(copy)[name], "_fields")
        if is_code or name not in vars(module):
            continue
        try:
            imported = fingerprints.of(vars(module)[name])
        except UnknownValueError:
            continue  # a test put something else in its place
        if imported != value:
            raise KernelError(
                f"{source.path}, line {source.line_of(name)}: {name} is {value}, but this process imported the module with "
                f"{imported}; start it again if the file was edited since, or give {name} the same value each time"
            )


def _compiled(
    source: Source,
    copy: ModuleType,
    binds: Mapping[str, Bound],
    module: ModuleType,
    depends: list[str],
    uncached: bool,
) -> Bound:
    """Give the module what it binds, and wrap its functions by Numba, which compiles them at their first call."""
    namespace = vars(copy)
    options: dict[str, Any] = {
        "error_model": "numpy",
        "no_cfunc_wrapper": True,  # nobody calls them from C; a tenth of the time to compile
        "nogil": not namespace.get("KEEPS_GIL", False),
        "_nrt": namespace.get("ALLOCATES", False),
        "forceinline": namespace.get("INLINED", False),
    }
    content = "\n".join([*depends, f"options {options}", ""])
    options["fastmath"] = set(namespace.get("FASTMATH", ())) or False
    key = f"{module.__name__.removeprefix('trainer.')}-{hash_of(content.encode())[:16]}"
    path = keep(key, source.path.name, source.text, content)
    for name in open_globals(copy):
        namespace[name] = binds[name].value
    for name, value in list(namespace.items()):
        if inspect.isfunction(value) and value.__globals__ is namespace:
            value.__code__ = value.__code__.replace(co_filename=str(path))  # Numba keeps its files beside it
            namespace[name] = numba.njit(**options)(value)
            if is_jitted(namespace[name]):  # not if Numba is switched off (NUMBA_DISABLE_JIT)
                namespace[name]._cache = Overloads(value, uncached)
        elif isinstance(value, np.ndarray):
            namespace[name] = value.copy(order=order_of(value))  # Numba keeps no code that uses one without order
            namespace[name].flags.writeable = False
    return Bound(copy, key, path.parent, uncached)
