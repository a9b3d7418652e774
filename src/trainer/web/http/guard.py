"""The guard around the application: security headers on every answer, and a check of the host name of every request."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trainer.web.http.answer import Sentence

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
    """Adds the security headers, and refuses host names that are not ours.

    The second stops DNS rebinding: another site lets its own name point to this machine, and its page reads our answers.
    """

    def __init__(self, app: ASGIApp, known_hosts: frozenset[str] | None, shared: bool) -> None:
        """`known_hosts` None allows any host name. With `shared`, pages of other origins may load answers."""
        self._app = app
        self._known_hosts = known_hosts
        self._headers = HEADERS | {"cross-origin-resource-policy": "cross-origin" if shared else "same-origin"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the application, or refuse it with status 421."""
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
            refused = Sentence(
                "This server answers only to its own host name; start it with --host to open it to others.", 421
            )
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def host_of(header: str) -> str:
    """The host name in a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
