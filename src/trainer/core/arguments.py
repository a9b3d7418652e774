"""Command-line arguments from a dataclass, and back.

Field `batch_size` is the flag `--batch-size`; a boolean field is `--name` and `--no-name`. The docstrings of the class and
its fields are the help text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

Config = TypeVar("Config")


def parse(config: type[Config], prog: str, arguments: Sequence[str], default: Config | None = None) -> Config:
    """`arguments` as a `config`; `default` replaces the defaults of the class. Exits with status 2 on a wrong flag."""
    import tyro  # slow to import

    if default is None:
        return tyro.cli(config, prog=prog, args=arguments, description=config.__doc__)
    return tyro.cli(config, prog=prog, args=arguments, description=config.__doc__, default=default)


def given(config: Any, arguments: Sequence[str]) -> set[str]:
    """The names of the fields that `arguments` set."""
    names = {field.name for field in fields(config)}
    flags = {word[2:].partition("=")[0].replace("-", "_") for word in arguments if word.startswith("--")}
    return {name for name in names if name in flags or f"no_{name}" in flags}


def value_of(arguments: Sequence[str], flag: str) -> str | None:
    """The value that `arguments` give to `flag`, as text; None if the flag is absent. For what decides the defaults."""
    spellings = {flag, "--" + flag[2:].replace("-", "_")}
    found = None
    for at, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in spellings:
            found = value if equals else arguments[at + 1] if at + 1 < len(arguments) else None
    return found


def arguments_of(config: Any) -> list[str]:
    """Arguments that `parse` turns into the same config; every field is stated, whatever its default."""
    words: list[str] = []
    for field in fields(config):
        value, flag = getattr(config, field.name), field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, tuple):
            words += [f"--{flag}", *map(str, value)]
        else:
            words.append(f"--{flag}={value}")
    return words


def narrowed(config: Any, to: type[Config], **changed: Any) -> Config:
    """A `to` with the values of all fields that `config` has as well, and `changed`."""
    wanted = {field.name for field in fields(to)}  # type: ignore[arg-type]
    shared = {field.name: getattr(config, field.name) for field in fields(config) if field.name in wanted}
    return to(**(shared | changed))
