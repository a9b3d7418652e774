"""What every answer carries and every request must pass: security headers and the host name."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Adds the headers, and refuses a host name that is not ours (a page of another site that rebinds its name)."""

    def __init__(self, app: ASGIApp, known_hosts: frozenset[str] | None, shared: bool) -> None:
        """`known_hosts` None: any name will do. `shared`: pages of other origins may read answers."""
        self._app = app
        self._known_hosts = known_hosts
        self._headers = HEADERS | {"cross-origin-resource-policy": "cross-origin" if shared else "same-origin"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if self._known_hosts is not None and host_of(Headers(scope=scope).get("host", "")) not in self._known_hosts:
            refused = PlainTextResponse(
                "This server answers under its own name only; start it with --host to open it to others.", 421
            )
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def host_of(header: str) -> str:
    """The name in a Host header, without its port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
