"""The files of the page, kept in memory. A request looks one up by name and never reaches the file system."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from trainer.web.http.answer import accepts_gzip
from trainer.web.http.refusal import Refusal

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
INDEX = "index.html"


@dataclass(frozen=True)
class Asset:
    """One file of the page."""

    content: bytes
    compressed: bytes
    """The content, gzipped."""
    media_type: str
    tag: str
    """A hash of the content, for ETag and If-None-Match."""


class Assets:
    """All files of the page."""

    def __init__(self) -> None:
        self._by_name = dict(_read(files("trainer.web").joinpath("static"), ""))

    def answer(self, request: Request) -> Response:
        """The file named in the request's path; `/` is the page itself."""
        asset = self._by_name.get(request.path_params.get("name", INDEX))
        if asset is None:
            raise Refusal(404, "There is no such page here.")
        headers = {"etag": asset.tag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == asset.tag:
            return Response(status_code=304, headers=headers)
        if accepts_gzip(request.headers):
            headers["content-encoding"] = "gzip"
            return Response(asset.compressed, media_type=asset.media_type, headers=headers)
        return Response(asset.content, media_type=asset.media_type, headers=headers)


def _read(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    """The files under `folder` with their paths relative to it; `prefix` is put before each path."""
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _read(entry, f"{prefix}{entry.name}/")
        elif (media_type := MEDIA_TYPES.get(entry.name.rpartition(".")[2])) is not None:
            content = entry.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            found.append((prefix + entry.name, Asset(content, gzip.compress(content, mtime=0), media_type, tag)))
    return found
