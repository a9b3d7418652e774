"""JSON values, read strictly and written atomically."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from trainer.core.files import write_bytes


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON, atomically; NaN and infinity are refused, for JSON has none."""
    write_bytes(path, json.dumps(value, allow_nan=False).encode() + b"\n", durable=False)


def read_json_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`, or None where there is no file or it holds something else."""
    try:
        return json_object(path.read_bytes())
    except FileNotFoundError:
        return None


def json_object(content: bytes | str) -> dict[str, Any] | None:
    """`content` as a JSON object, None where it is something else."""
    try:
        value = strict_json(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def strict_json(content: bytes | str) -> Any:
    """The value of `content`. Raises ValueError where it is no JSON, also for NaN and infinity, and RecursionError."""
    return json.loads(content, parse_float=_finite, parse_constant=_finite)


def is_number(value: object) -> bool:
    """A number that every reader of JSON can hold."""
    return isinstance(value, int | float) and abs(value) < 2**53


def has_numbers(content: dict[str, Any], numbers: Iterable[str]) -> bool:
    """Whether `content` has all these numbers."""
    return all(is_number(content.get(name)) for name in numbers)


def number_fields(kind: type) -> list[str]:
    """The fields of a dataclass that are numbers."""
    return [field.name for field in fields(kind) if field.type in ("int", "float")]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
