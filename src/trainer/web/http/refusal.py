"""A request that is refused."""

from __future__ import annotations

from starlette.exceptions import HTTPException


class Refusal(HTTPException):
    """Ends a request: `Refusal(status, sentence)` with a 4xx status and one plain sentence for the person."""
