"""The server: its socket, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn

from trainer.core.listener import listen, url_of
from trainer.gpu.choice import require_device
from trainer.settings.web import WebConfig
from trainer.web.app import build_app
from trainer.web.http.answer import encodable

MAX_CONNECTIONS = 1000
"""Open connections; more are turned away with status 503."""


def serve(config: WebConfig, stop: Event) -> int:
    """Answer requests until `stop` is set. Returns the exit status. Raises ConfigError if it can't listen."""
    config.check()
    require_device(config)
    app = build_app(config, stop)
    listener = listen(config.host, config.port)
    settings = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    server = Server(settings)
    Thread(target=server.end_with, args=(stop,), daemon=True).start()
    url = url_of(config.host, listener.getsockname()[1])
    print(f"{url} shows {encodable(str(config.data_dir))} (Ctrl-C ends it)", flush=True)
    asyncio.run(server.serve(sockets=[listener]))
    return 0


class Server(uvicorn.Server):
    """uvicorn without its signal handlers; `trainer.core.signals.stop_on_signals` has set ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers as they are."""
        yield

    def end_with(self, stop: Event) -> None:
        """Wait for `stop`, then end the server."""
        stop.wait()
        self.should_exit = True
