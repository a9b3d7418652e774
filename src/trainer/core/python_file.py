"""A Python file that is read once and run by this program: rules, players, networks; and its lines in errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import CodeType, ModuleType

from trainer.core.errors import TrainerError


class PythonFile:
    """The text in a file, as it was when this object was made."""

    def __init__(self, path: Path, text: bytes | None = None) -> None:
        """`text`: what was read from the file before; None: it is read now. Raises OSError."""
        self.path = path
        self.text = path.read_bytes() if text is None else text

    def run(self, name: str, package: str | None, **given: object) -> ModuleType:
        """Run the text as a module of that name, which has the globals `given` from the start.

        Imports relative to `package` work, and so do files beside `__file__`.
        """
        module = ModuleType(name)
        module.__file__, module.__package__ = str(self.path), package
        vars(module).update(given)
        sys.modules[name] = module  # where dataclasses and Numba look for it
        try:
            exec(self.code, vars(module))
        except BaseException:
            del sys.modules[name]
            raise
        return module

    @cached_property
    def code(self) -> CodeType:
        """The text as bytecode."""
        return compile(self.text, self.path, "exec", dont_inherit=True)


@contextmanager
def lines_named(
    path: Path, kind: type[TrainerError], begin: str = "", passes: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Turn whatever the code of the file `path` raises in the block into a `kind`, with the line.

    `begin` is written before the path. Errors that are one of `passes` stay as they are.
    """
    try:
        yield
    except passes:
        raise
    except (Exception, SystemExit) as error:  # whatever somebody's code raises
        what = f"{type(error).__name__}: {error}"
        if isinstance(error, SystemExit):
            what = f"the file ends the program ({what}); put what it does as a program below if __name__ == '__main__':"
        raise kind(f"{begin}{path}, line {line_in(path, error)}: {what}") from error


def line_in(path: Path, error: BaseException) -> int:
    """The last line of a file that an error passed through; of a syntax error, where it is."""
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    line, trace = 1, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
