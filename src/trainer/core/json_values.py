"""JSON values, read strictly and written atomically."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from trainer.core.files import write_bytes


def write_json(path: Path, value: Any, indent: int | None = None, durable: bool = False) -> None:
    """Replace `path` with `value` as JSON, atomically. Raises ValueError for NaN and infinity, which JSON lacks.

    `durable`: it is on the disk when this returns.
    """
    write_bytes(path, json.dumps(value, allow_nan=False, indent=indent).encode() + b"\n", durable=durable)


def read_json_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`; None if there is no file, or if it holds anything else."""
    try:
        return json_object(path.read_bytes())
    except FileNotFoundError:
        return None


def json_object(content: bytes | str) -> dict[str, Any] | None:
    """`content` as a JSON object; None if it is anything else."""
    try:
        value = strict_json(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def strict_json(content: bytes | str) -> Any:
    """The value of `content`. Raises ValueError for invalid JSON, NaN and infinity, RecursionError for deep nesting."""
    return json.loads(content, parse_float=_finite, parse_constant=_finite)


def is_number(value: object) -> bool:
    """Whether a value is a number that every JSON reader represents exactly enough: below 2^53 in size."""
    return isinstance(value, int | float) and abs(value) < 2**53


def has_numbers(content: dict[str, Any], numbers: Iterable[str]) -> bool:
    """Whether all these names are numbers in `content`."""
    return all(is_number(content.get(name)) for name in numbers)


def number_fields(kind: type) -> list[str]:
    """The names of a dataclass's int and float fields."""
    hints = get_type_hints(kind)
    return [field.name for field in fields(kind) if hints[field.name] in (int, float)]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
