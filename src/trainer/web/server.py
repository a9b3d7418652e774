"""The server process: its settings, its socket, its end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import uvicorn

from trainer.core.errors import ConfigError
from trainer.settings.validation import LogLevel, require
from trainer.web.app import Limits, build_app

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN_CONNECTIONS = 1000
"""More are turned away with status 503."""


@dataclass(frozen=True)
class WebConfig:
    """Serve a page that shows how a run learns, plays its newest model, and shows its stored games."""

    data_dir: Path = Path("data")
    """Folder of a run, or of several runs, one folder each; it need not be there yet."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets other machines in."""
    port: int = 8080
    """Port to listen on; 0 = any free one."""
    allow_origin: tuple[str, ...] = ()
    """Origins of other pages that may use the API, such as http://localhost:5173."""
    max_sessions: int = 1000
    """Games in progress to keep; the one that was idle longest goes first."""
    session_minutes: float = 60.0
    """Minutes after which an idle game is forgotten."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""

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
        """Names under which a browser may reach a server on loopback, against DNS rebinding; None where others may."""
        if self.host not in LOOPBACK:
            return None
        return frozenset((*LOOPBACK, *(urlsplit(origin).hostname or "" for origin in self.allow_origin)))


def serve(config: WebConfig, stop: Event) -> int:
    """Answer requests until `stop` is set; returns the exit status. Raises ConfigError where it can't listen."""
    config.check()
    listener = listen(config.host, config.port)
    limits = Limits(config.max_sessions, config.session_minutes * 60)
    app = build_app(config.data_dir, limits, config.allow_origin, config.known_hosts, stop)
    settings = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=OPEN_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    server = Server(settings)
    Thread(target=server.end_with, args=(stop,), daemon=True).start()
    host = f"[{config.host}]" if ":" in config.host else config.host
    print(f"http://{host}:{listener.getsockname()[1]}/ shows {config.data_dir} (Ctrl-C ends it)", flush=True)
    asyncio.run(server.serve(sockets=[listener]))
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ConfigError where the address or the port can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=512)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the second half of an answer waits 40 ms
        return listener
    except (OSError, UnicodeError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise ConfigError(
            f"can't listen on {host} port {port} ({reason}); choose another with --host or --port"
        ) from error


class Server(uvicorn.Server):
    """uvicorn, with the signals left to `trainer.command.stop_on_signals`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers as they are."""
        yield

    def end_with(self, stop: Event) -> None:
        """Wait for `stop`, then have the server end."""
        stop.wait()
        self.should_exit = True
