"""The JSON body of a request, limited in size and time."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect, Request

from trainer.core.json_values import strict_json
from trainer.web.http.refusal import Refusal

MAX_BYTES = 16 * 1024
"""The size limit of a body, bytes."""
MAX_DRAINED = 32 * 1024 * 1024
"""Bytes of an oversized body that are read and dropped; a sender whose body isn't read may never see the answer."""
MAX_SECONDS = 10.0
"""Time limit for a body to arrive, seconds."""


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; a request without a body counts as {}. Refuses anything else with 400, 408 or 413."""
    try:
        content = await asyncio.wait_for(_content(request), MAX_SECONDS)
    except TimeoutError:
        raise Refusal(408, f"The request's body did not arrive within {MAX_SECONDS:g} seconds.") from None
    except ClientDisconnect:
        raise Refusal(400, "The connection closed before the whole request body had arrived.") from None
    if not content.strip():
        return {}
    try:
        value = strict_json(content)
    except (ValueError, RecursionError):
        raise Refusal(400, "The request's body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Refusal(400, "The request's body must be a JSON object.")
    return value


async def _content(request: Request) -> bytes:
    """The bytes of the body. Never holds more than MAX_BYTES plus one network packet."""
    kept, seen = bytearray(), 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen <= MAX_BYTES:
            kept += chunk
        elif seen > MAX_DRAINED:
            break
    if seen > MAX_BYTES:
        raise Refusal(413, f"The request's body is larger than {MAX_BYTES} bytes.")
    return bytes(kept)
