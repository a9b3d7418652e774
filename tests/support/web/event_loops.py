"""Which thread works: the one of the event loop, or another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest


def noting_loops(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[asyncio.AbstractEventLoop | None]:
    """Have each call of `module.name` add its thread's running event loop to the list returned; None: it has none."""
    loops: list[asyncio.AbstractEventLoop | None] = []
    function: Callable[..., Any] = getattr(module, name)

    def noted(*arguments: Any) -> Any:
        try:
            loops.append(asyncio.get_running_loop())
        except RuntimeError:
            loops.append(None)
        return function(*arguments)

    monkeypatch.setattr(module, name, noted)
    return loops
