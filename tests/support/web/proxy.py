"""A reverse proxy that serves another server below a path, as nginx does with `location /board/`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PATH = "/board/"


class Handler(BaseHTTPRequestHandler):
    """Passes requests below PATH on, without that path; knows nothing else."""

    behind = 0
    """The port of the server behind it."""

    def do_GET(self) -> None:
        """Pass a request on, and the answer back as it comes."""
        if not self.path.startswith(PATH):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server = HTTPConnection("127.0.0.1", self.behind, timeout=60)
        try:
            server.request(self.command, self.path[len(PATH) - 1 :], body, dict(self.headers.items()))
            answer = server.getresponse()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("connection", "close")
            self.end_headers()
            while content := answer.read1():
                self.wfile.write(content)
        except ConnectionRefusedError:
            self.send_error(502)  # with a page of HTML
        except OSError:
            self.close_connection = True  # the browser has gone, or the server has
        finally:
            server.close()

    do_POST = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing."""


@contextmanager
def proxy_of(port: int) -> Iterator[str]:
    """A proxy in front of a server on this machine; yields the address of the page behind it."""
    handler = type("Handler", (Handler,), {"behind": port})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        proxy.daemon_threads = True
        proxy.block_on_close = False
        Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{proxy.server_address[1]}{PATH}"
        finally:
            proxy.shutdown()
