"""The JSON body of a request, bounded in size and time."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect, Request

from trainer.core.json_values import strict_json
from trainer.web.http.errors import refusal

LARGEST = 16 * 1024
"""Bytes that a body may have."""
DRAINED = 32 * 1024 * 1024
"""Bytes of a larger one that are read and dropped, so that its sender gets to read the answer."""
SECONDS = 10.0
"""Time that a body may take to arrive."""


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; no body is an empty object. Refuses anything else with 400, 408 or 413."""
    try:
        content = await asyncio.wait_for(_content(request), SECONDS)
    except TimeoutError:
        raise refusal(408, f"The request's body did not arrive within {SECONDS:g} seconds.") from None
    except ClientDisconnect:
        raise refusal(400, "The request's body broke off.") from None
    if not content.strip():
        return {}
    try:
        value = strict_json(content)
    except (ValueError, RecursionError):
        raise refusal(400, "The request's body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise refusal(400, "The request's body must be a JSON object.")
    return value


async def _content(request: Request) -> bytes:
    """The bytes of the body; never holds more than LARGEST and a network packet."""
    kept, seen = bytearray(), 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen <= LARGEST:
            kept += chunk
        elif seen > DRAINED:
            break
    if seen > LARGEST:
        raise refusal(413, f"The request's body is larger than {LARGEST} bytes.")
    return bytes(kept)
