"""A request that can't be answered: a 4xx status and one plain sentence."""

from __future__ import annotations

from starlette.exceptions import HTTPException


def refusal(status: int, sentence: str) -> HTTPException:
    """The exception that ends a request with this status and sentence."""
    return HTTPException(status, sentence)
