"""The server process: its settings, its socket, its end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn

from trainer.core.errors import ConfigError
from trainer.settings.web import WebConfig
from trainer.web.app import Limits, build_app

log = logging.getLogger(__name__)

OPEN_CONNECTIONS = 1000
"""More are turned away with status 503."""


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
