"""The threads that search for the page."""

from __future__ import annotations

import asyncio
from threading import Event
from types import ModuleType
from typing import Any

import pytest
from waiting import PATIENCE

from trainer.core.errors import GameError
from trainer.evaluators.uniform import uniform
from trainer.games import rules_of
from trainer.games.kernels import link_kernels
from trainer.games.position import Position
from trainer.web.game import search_pool
from trainer.web.game.search_pool import SearchPool


def test_searches_do_not_wait_for_games_that_are_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling may take a minute for each; the page plays meanwhile what is ready, on all of its threads.

    Here the compiler stands still in another game, with every lock that it holds.
    """
    pool, began, may_end = SearchPool(threads=2), Event(), Event()
    pool.prepare("tictactoe")

    def stands_still(*_: object) -> None:
        began.set()
        assert may_end.wait(PATIENCE)
        raise GameError("the test is over")

    def rules_of_the_next(env_id: str) -> ModuleType:
        return link_kernels(env_id, warm_up=stands_still).rules

    monkeypatch.setattr(search_pool, "compiled_rules", rules_of_the_next)
    first = Position.first(rules_of("tictactoe"))

    async def both() -> Any:
        searches = [pool.analyse("tictactoe", first, 10, uniform) for _ in range(2)]
        return await asyncio.wait_for(asyncio.gather(*searches), PATIENCE)

    try:
        pool.prepare_soon(["connect4", "othello", "go:size=5"])
        assert began.wait(PATIENCE)
        assert [len(found.moves) for found in asyncio.run(both())] == [9, 9]
    finally:
        may_end.set()
        pool.close()


def test_a_game_that_is_not_prepared_is_prepared_by_the_first_search() -> None:
    """However many there are at once."""
    pool = SearchPool(threads=2)
    first = Position.first(rules_of("tictactoe"))

    async def several() -> Any:
        return await asyncio.gather(*(pool.analyse("tictactoe", first, 10, uniform) for _ in range(5)))

    try:
        assert [len(found.moves) for found in asyncio.run(several())] == [9] * 5
    finally:
        pool.close()
