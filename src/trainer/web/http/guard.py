"""The guard around the application: security headers on every answer, and a check of the host name and the sender of every
request.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trainer.web.http.answer import Sentence
from trainer.web.http.origin import ForeignPageError, refuse_foreign_page

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
SHORT_NAME = re.compile("[a-z0-9.-]{1,50}")
"""A host name that a refusal may repeat."""


class Guard:
    """Adds the security headers, and refuses host names that are not ours, and changes by pages that are not ours.

    The first refusal stops DNS rebinding: another site lets its own name point to this machine, and its page reads our
    answers. The second stops pages that send requests without reading the answers.
    """

    def __init__(
        self,
        app: ASGIApp,
        known_hosts: frozenset[str] | None,
        any_address: bool,
        allow_origin: Collection[str],
        changing: Collection[str],
    ) -> None:
        """`known_hosts` None allows any host name. `any_address`: whether any IP address may stand for a name.
        `allow_origin`: origins whose pages may load answers and change things. `changing`: addresses at which a GET changes
        something, as every POST does.
        """
        self._app = app
        self._known_hosts = known_hosts
        self._any_address = any_address
        self._allow_origin = allow_origin
        self._changing = changing
        self._headers = HEADERS | {"cross-origin-resource-policy": "cross-origin" if allow_origin else "same-origin"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the application, or refuse it with status 421 or 403."""
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

        headers = Headers(scope=scope)
        host = host_of(headers.get("host", ""))
        if not self._is_known(host):
            await Sentence(unknown_host(host), 421)(scope, receive, send_with_headers)
            return
        try:
            if scope["method"] == "POST" or scope["path"] in self._changing:
                refuse_foreign_page(headers, self._allow_origin)
        except ForeignPageError as error:
            await Sentence(str(error), 403)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _is_known(self, host: str) -> bool:
        """Whether to answer to this host name. DNS rebinding needs a name, so an IP address does no harm."""
        if self._known_hosts is None or host in self._known_hosts:
            return True
        return self._any_address and is_address(host)


def is_address(host: str) -> bool:
    """Whether a host name is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def unknown_host(host: str) -> str:
    """What to say to a request for a host name that is not ours. A name that can't be one isn't repeated."""
    shown = host if SHORT_NAME.fullmatch(host) else "NAME"
    return (
        "This server answers only to host names that it knows; if this one is yours, start cartridge web with "
        f"--allow-host {shown}, too (a loop's page has no such flag)."
    )


def host_of(header: str) -> str:
    """The host name in a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
