"""The replay databases that a command is given."""

from __future__ import annotations

from collections.abc import Sequence
from glob import escape
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.core.files import by_number


def databases_of(db: Path | Sequence[Path]) -> tuple[Path, ...]:
    """The databases that --db names, each once, in the order in which their rows are numbered.

    A `*` in a name stands for any text, unless there is a file with just that name. What it finds is ordered by length and
    then by name, so replay-10.db follows replay-9.db. Raises ConfigError if it finds nothing.
    """
    found: list[Path] = []
    for path in [db] if isinstance(db, Path) else db:
        if "*" not in path.name or path.exists():
            found.append(path)
            continue
        matches = path.parent.glob(escape(path.name).replace("[*]", "*"))
        ordered = sorted(matches, key=by_number)
        if not ordered:
            raise ConfigError(
                f"--db {path} finds no file; give the path of a replay database, or wait until there is one"
            )
        found += ordered
    return tuple(dict.fromkeys(found))
