"""Answers to requests that fail because of a bug."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trainer.web.http.answer import Sentence

log = logging.getLogger(__name__)


class Faults:
    """Answers a bug with status 500: the log gets the traceback, the browser a sentence.

    It is the innermost middleware, so that the answer gets the headers of the others. Starlette's own handler for status
    500 is the outermost.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. An error after the answer has begun is raised again, and the server logs it."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:  # whatever a bug raises
            if begun or scope["type"] != "http":
                raise
            log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
            sentence = Sentence("Something went wrong in the server; its log has the details.", 500)
            await sentence(scope, receive, send)
