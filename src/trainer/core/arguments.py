"""Command-line arguments from a dataclass, and back.

Field `batch_size` is the flag `--batch-size`; a boolean field is `--name` and `--no-name`. A field whose metadata says
`positional` has no flag (see `trainer.settings.base.POSITIONAL`). The docstrings of the class and
its fields are the help text.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import Field, field, fields, make_dataclass
from inspect import cleandoc, getsource
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, TypeVar, get_type_hints

from trainer.core.errors import ConfigError

Config = TypeVar("Config")


def parse(config: type[Config], prog: str, arguments: Sequence[str], default: Config | None = None) -> Config:
    """`arguments` as a `config`; `default` replaces the defaults of the class. Exits with status 2 on a wrong flag.

    Raises ConfigError for an empty path, which would be the current folder, and for a flag of several values without any.
    """
    import tyro  # slow to import

    base = config() if default is None else default
    refuse_empty_paths(config, arguments)
    hints, texts = get_type_hints(config, include_extras=True), help_texts(config)

    def placed(setting: Field[Any]) -> tuple[Any, ...]:
        return (tyro.conf.Positional,) if setting.metadata.get("positional") else ()

    flags = make_dataclass(
        config.__name__,
        [
            (
                setting.name,
                Annotated[(hints[setting.name], tyro.conf.arg(help=texts.get(setting.name)), *placed(setting))],
                field(default=getattr(base, setting.name)),
            )
            for setting in fields(config)  # type: ignore[arg-type]
        ],
    )
    words = gathered(arguments, {name for name, hint in hints.items() if "tuple[" in str(hint)})
    parsed: Any = tyro.cli(flags, prog=prog, args=words, description=cleandoc(config.__doc__ or ""))
    return config(**{setting.name: getattr(parsed, setting.name) for setting in fields(parsed)})


def refuse_empty_paths(config: type, arguments: Sequence[str]) -> None:
    """Raise ConfigError if a flag that takes a path gets an empty word, as from a variable of the shell that isn't set."""
    names = {name for name, hint in get_type_hints(config).items() if "Path" in str(hint)}
    flag = ""
    for word in arguments:
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            flag = name
        if flag[2:].replace("-", "_") in names and (word == "" or (equals and not value and name == flag)):
            raise ConfigError(f"{flag} is empty; give a path (. is this folder)")


def gathered(arguments: Sequence[str], names: set[str]) -> list[str]:
    """`arguments` with the values of each of these flags together at the end, so that such a flag may be repeated.

    Raises ConfigError for one without a value.
    """
    words: list[str] = []
    values: dict[str, list[str]] = {}
    taking: list[str] | None = None
    for word in arguments:
        name, equals, value = word.partition("=")
        if word.startswith("--") or word == "-h":
            flag = name[2:].replace("-", "_")
            taking = values.setdefault(name, []) if flag in names else None
            if taking is None:
                words.append(word)
            elif equals:
                taking.append(value)
                taking = None
        elif taking is None:
            words.append(word)
        else:
            taking.append(word)
    for name, found in values.items():
        if not found and not {"-h", "--help"}.intersection(arguments):
            raise ConfigError(f"{name} is given without a value; give one or more, or leave it out")
        words += [f"{name}={found[0]}"] if len(found) == 1 else [name, *found]
    return words


def help_texts(config: type) -> dict[str, str]:
    """The docstrings of a dataclass's fields, inherited ones included, each as one line."""
    texts: dict[str, str] = {}
    for part in reversed(config.__mro__[:-1]):
        (definition,) = ast.parse(dedent(getsource(part))).body
        assert isinstance(definition, ast.ClassDef)
        for statement, following in pairwise(definition.body):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                value = following.value if isinstance(following, ast.Expr) else None
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    texts[statement.target.id] = " ".join(value.value.split())
    return texts


def given(config: Any, arguments: Sequence[str]) -> set[str]:
    """The names of the fields that `arguments` set."""
    names = {setting.name for setting in fields(config)}
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
    """Arguments that `parse` turns into the same config; every field but an empty tuple is stated, whatever its default."""
    words: list[str] = []
    for setting in fields(config):
        value, flag = getattr(config, setting.name), setting.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, tuple):
            words += [f"--{flag}", *map(word_of, value)] if value else []
        else:
            words.append(f"--{flag}={value}")
    return words


def word_of(value: Any) -> str:
    """A value as a word that isn't taken for a flag, even if it is a path that begins with a dash."""
    return f"./{value}" if isinstance(value, Path) and str(value).startswith("-") else str(value)


def narrowed(config: Any, to: type[Config], **changed: Any) -> Config:
    """A `to` with the values of all fields that `config` has as well, and `changed`."""
    wanted = {setting.name for setting in fields(to)}  # type: ignore[arg-type]
    shared = {setting.name: getattr(config, setting.name) for setting in fields(config) if setting.name in wanted}
    return to(**(shared | changed))
