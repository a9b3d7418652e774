"""The threads that search for the page."""

from __future__ import annotations

import asyncio
from threading import Event

from waiting import PATIENCE

from trainer.evaluators.uniform import uniform
from trainer.games import rules_of
from trainer.games.position import Position
from trainer.web.game.search_pool import SearchPool


def test_searches_do_not_wait_for_games_that_are_prepared() -> None:
    """Compiling may take a minute for each; the page plays meanwhile what is ready."""
    pool, began, may_end = SearchPool(threads=1), Event(), Event()
    pool.prepare("tictactoe")

    def slow(env_id: str) -> None:
        began.set()
        assert may_end.wait(PATIENCE)

    try:
        pool.prepare, prepare = slow, pool.prepare  # type: ignore[method-assign, assignment]
        pool.prepare_soon(["connect4", "othello", "go:size=5"])
        assert began.wait(PATIENCE)
        first = Position.first(rules_of("tictactoe"))
        found = asyncio.run(asyncio.wait_for(pool.analyse("tictactoe", first, 10, uniform), PATIENCE))
        assert len(found.moves) == 9
        pool.prepare = prepare  # type: ignore[method-assign]
    finally:
        may_end.set()
        pool.close()
