"""Answers, in JSON and in plain text. Both can hold any text, also the name of a file that is not valid UTF-8.

Python reads the bytes of such a name that don't fit as half a surrogate pair each (`os.fsdecode`), which UTF-8 can't
encode. They are sent as `%` and two hexadecimal digits.
"""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

SMALL = 1000
"""Bytes up to which an answer isn't worth compressing."""
GZIP_LEVEL = 5
"""Of 9; the higher ones take much longer and save little."""
UNDECODED = re.compile("[\ud800-\udfff]")
"""Half a surrogate pair: a byte that is not UTF-8, or text that has no encoding at all."""


class Compressed(Response):
    """A response that is sent gzipped if it is large and the browser accepts that."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. The thread of the event loop doesn't compress: a long game is megabytes."""
        if len(self.body) > SMALL:
            self.headers.add_vary_header("Accept-Encoding")
            if accepts_gzip(Headers(scope=scope)):
                self.body = await run_in_threadpool(gzip.compress, self.body, GZIP_LEVEL, mtime=0)
                self.headers["content-encoding"] = "gzip"
                self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


class JsonAnswer(Compressed, JSONResponse):
    """A value as JSON."""

    def render(self, content: Any) -> bytes:
        """The bytes to send."""
        return json_text(content).encode()


class Sentence(PlainTextResponse):
    """A sentence, for people."""

    def render(self, content: Any) -> bytes:
        """The bytes to send."""
        return encodable(str(content)).encode()


def accepts_gzip(headers: Headers) -> bool:
    """Whether a request accepts a gzipped answer."""
    return "gzip" in headers.get("accept-encoding", "")


def json_text(value: Any) -> str:
    """A value as JSON on one line. Raises ValueError for NaN and infinity."""
    return encodable(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def encodable(text: str) -> str:
    """The text with each byte that is not UTF-8 as `%` and two digits, such as `caf%E9`."""
    return UNDECODED.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}", text)


def name_of_file(name: str) -> str:
    """A unique, encodable name for a file name.

    It is the same name, unless that name is not valid UTF-8 (see `encodable`) or contains `%` and two hexadecimal digits:
    their `%` becomes `%25`, so that the folder `caf%E9` is not taken for the folder whose last byte is E9.
    """
    return encodable(re.sub("%(?=[0-9A-Fa-f]{2})", "%25", name))
