"""The settings of the page: the flags of `python -m trainer.web`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from trainer.settings.base import Settings
from trainer.settings.validation import LogLevel, require

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class WebConfig(Settings):
    """Serve a page that shows how a run learns, plays its newest model, and shows its stored games."""

    data_dir: Path = Path("data")
    """Folder of a run, or of several runs with a folder each; it may not exist yet."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets other machines in."""
    port: int = 8080
    """Port to listen on; 0: any free one."""
    allow_origin: tuple[str, ...] = ()
    """Origins of other pages that may use the API, such as http://localhost:5173."""
    max_sessions: int = 1000
    """Maximum number of games in progress; the one idle longest is dropped first."""
    session_minutes: float = 60.0
    """Minutes after which an idle game is forgotten."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require(0 <= self.port <= 65535, f"--port is {self.port}; give a number from 0 to 65535")
        require(self.max_sessions >= 1, f"--max-sessions is {self.max_sessions}; at least 1 is needed")
        require(self.session_minutes > 0, f"--session-minutes is {self.session_minutes}; a number above 0 is needed")
        for origin in self.allow_origin:
            parts = urlsplit(origin)
            require(
                parts.scheme in ("http", "https")
                and bool(parts.hostname)
                and origin == f"{parts.scheme}://{parts.netloc}",
                f"--allow-origin is {origin!r}; give scheme, host and port alone, such as http://localhost:5173",
            )

    @property
    def known_hosts(self) -> frozenset[str] | None:
        """Host names that requests to a loopback server may carry, against DNS rebinding; None: any."""
        if self.host not in LOOPBACK:
            return None
        return frozenset((*LOOPBACK, *(urlsplit(origin).hostname or "" for origin in self.allow_origin)))
