"""What the files beside a game's rules must have, and the errors of their code. A part is such a file, as a module."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

from trainer.core.errors import GameError, TrainerError, shortened
from trainer.core.python_file import lines_named


def global_of(part: ModuleType, name: str, is_right: Callable[[Any], bool], advice: str) -> Any:
    """The global `name` of a part. Raises GameError with the `advice` if there is none, or if it isn't right."""
    value = getattr(part, name, None)
    if value is None:
        raise GameError(f"{part.__file__} has no {name}; {advice}")
    if not is_right(value):
        raise GameError(
            f"{name} in {part.__file__} is {shortened(value)}, of the type {type(value).__name__}; {advice}"
        )
    return value


def require_result(part: ModuleType, function: str, result: object, is_right: bool, needed: str) -> None:
    """Raise GameError if what a function of a part returned isn't right. `needed` says what it must return."""
    if not is_right:
        raise GameError(
            f"{function} in {part.__file__} returned {shortened(result)}, of the type {type(result).__name__}; it must "
            f"return {needed}"
        )


def lines_of(part: ModuleType) -> AbstractContextManager[None]:
    """Turns what the code of a part raises in the block into a GameError with its line. A TrainerError stays as it is."""
    return lines_named(Path(str(part.__file__)), GameError, passes=(TrainerError, MemoryError))
