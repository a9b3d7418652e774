"""The page that a request comes from, as the browser states it."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

USUAL_PORTS = {"http": 80, "https": 443}
SHORT_ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]{1,50}")
"""An origin that a refusal may repeat."""


class ForeignPageError(Exception):
    """A request comes from a page of another origin; the message is a sentence for the person."""


def refuse_foreign_page(headers: Headers, allowed: Collection[str]) -> None:
    """Raise ForeignPageError if a page of another origin, which is not among the `allowed` ones, sends the request."""
    origin = headers.get("origin", "")
    if origin in allowed or not is_foreign(headers):
        return
    shown = origin if SHORT_ORIGIN.fullmatch(origin) else "ORIGIN"
    raise ForeignPageError(
        "A page of another address can't do this here; if that page is yours, "
        f"start this one alone with cartridge web --allow-origin {shown}."
    )


def is_foreign(headers: Headers) -> bool:
    """Whether a page of another origin sends the request. No script can change the two headers that tell.

    Browsers send Sec-Fetch-Site over HTTPS and to this machine; it holds behind any proxy. Otherwise they send Origin with
    a POST. Programs that aren't browsers send neither. (Go's `net/http.CrossOriginProtection` decides in the same way.)
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")  # none: the person typed the address
    origin = headers.get("origin")
    return origin is not None and not is_same_place(origin, headers.get("host", ""))


def is_same_place(origin: str, host: str) -> bool:
    """Whether an Origin header names the host and port of a Host header. The schemes may differ, behind a proxy with TLS."""
    try:
        page, asked = urlsplit(origin), urlsplit(f"//{host}")
        usual = USUAL_PORTS.get(page.scheme)
        here, there = (asked.hostname, asked.port or usual), (page.hostname, page.port or usual)
        return bool(page.hostname and usual) and here == there
    except ValueError:  # one of them can't be read as an address
        return False
