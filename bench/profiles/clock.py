"""CPU time by name, of functions that are replaced by timed ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

REST = "Python, the rest"


@dataclass
class Clock:
    """CPU-seconds by name."""

    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; the time of its calls is added to `name`."""

        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            answer = function(*arguments, **named)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - began
            return answer

        return call

    def shares(self, total: float, scale: float) -> dict[str, float]:
        """The times and the rest of `total` CPU-seconds, each times `scale`, the largest first."""
        times = self.seconds | {REST: total - sum(self.seconds.values())}
        return {name: scale * seconds for name, seconds in sorted(times.items(), key=lambda item: -item[1])}
