"""The settings of the page: the flags of `python -m trainer.web`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from trainer.settings.groups.device import EvaluationSettings
from trainer.settings.validation import LogLevel, require, require_above_0

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
"""Host names that a request to a server on this machine usually carries."""

HOST_NAME = re.compile("[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class WebConfig(EvaluationSettings):
    """Serve a page that shows how a run learns, plays its newest model, and shows its stored games."""

    data_dir: Path = Path("data")
    """Folder of a run, or of several runs with a folder each; it may not exist yet."""
    games: tuple[str, ...] = ()
    """Further games to play and to show, by their files, as in ./mygame.py. The rules that runs keep are not executed."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets other machines in, and :: does so over IPv6 and IPv4."""
    port: int = 8080
    """Port to listen on; 0: any free one."""
    allow_host: tuple[str, ...] = ()
    """Further host names to answer to, such as that of a proxy in front. With --host 0.0.0.0 the server answers to any name
    unless some are given here."""
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
        require_address(self.host, "--host")
        require(0 <= self.port <= 65535, f"--port is {self.port}; give a number from 0 to 65535")
        require(self.max_sessions >= 1, f"--max-sessions is {self.max_sessions}; at least 1 is needed")
        require_above_0(self, "session_minutes")
        for name in self.allow_host:
            require(
                HOST_NAME.fullmatch(name) is not None,
                f"--allow-host is {name!r}; give a host name alone, without scheme and port, such as board.example.org",
            )
        for origin in self.allow_origin:
            require(
                is_origin(origin),
                f"--allow-origin is {origin!r}; give scheme, host and port alone, such as http://localhost:5173",
            )

    @property
    def reachable(self) -> bool:
        """Whether other machines can reach the server."""
        return not is_loopback(self.host)

    @property
    def known_hosts(self) -> frozenset[str] | None:
        """Host names that requests may carry, against DNS rebinding; None: any, if others can reach the server and no names
        are given."""
        if self.reachable and not self.allow_host:
            return None
        origins = (urlsplit(origin).hostname or "" for origin in self.allow_origin)
        names = (*LOOPBACK_NAMES, self.host, *self.allow_host, *origins)
        return frozenset(name.lower() for name in names)


def is_origin(text: str) -> bool:
    """Whether this is the scheme, the host and perhaps the port of a page, and nothing else."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
    except ValueError:  # a bracket that isn't closed
        return False


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_address(host: str, flag: str) -> None:
    """Raise ConfigError for an empty address, which the system would take for every address of the machine."""
    require(
        bool(host.strip()),
        f"{flag} is empty; give an address to listen on: 127.0.0.1 for this machine alone, 0.0.0.0 to let others in",
    )
