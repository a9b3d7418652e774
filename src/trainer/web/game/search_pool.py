"""A pool of threads that search single positions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from types import ModuleType

from trainer.evaluators.interface import Evaluate
from trainer.evaluators.uniform import uniform
from trainer.games.kernels import compiled_rules
from trainer.games.position import Position
from trainer.players.network import PLAYING
from trainer.search import Search
from trainer.search.analysis import Analysis, analysed

MAX_SIMULATIONS = 800


class SearchPool:
    """Analyses positions on a few threads.

    There is a search of each game for each thread, allocated for MAX_SIMULATIONS when the game is prepared. Making one later
    would take the lock under which processes compile (`trainer.compile.linker.link`), and players would wait for it.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="search")
        # A thread of its own, so that no search waits for a game that is compiled.
        self._preparing = ThreadPoolExecutor(1, thread_name_prefix="prepare")
        self._compiling = Lock()
        self._rules: dict[str, ModuleType] = {}
        """The rules of the games that are prepared."""
        self._idle: dict[str, list[Search]] = {}
        """Searches that no thread is using, of the same games."""

    async def analyse(self, env_id: str, position: Position, simulations: int, evaluate: Evaluate) -> Analysis:
        """Search an unfinished position; with 0 simulations its analysis is the evaluator's answer alone."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._analyse, env_id, position, simulations, evaluate)

    async def rules(self, env_id: str) -> ModuleType:
        """The compiled rules of a game. The first call on a machine compiles for some seconds."""
        found = self._rules.get(env_id)
        if found is None:
            found = await asyncio.to_thread(self.prepare, env_id)
        return found

    def prepare(self, env_id: str) -> ModuleType:
        """Compile a game's rules and its search, or load them from the cache. Returns the rules."""
        with self._compiling:
            if env_id not in self._rules:
                rules = compiled_rules(env_id)
                searches = [Search(env_id, 1, MAX_SIMULATIONS, PLAYING) for _ in range(self._threads)]
                searches[0].run(Position.first(rules).state[None], 1, uniform)
                self._idle[env_id] = searches
                self._rules[env_id] = rules
        return self._rules[env_id]

    def prepare_soon(self, env_ids: Iterable[str]) -> None:
        """Start to prepare games, one after the other, on a thread of their own."""
        for env_id in env_ids:
            self._preparing.submit(self.prepare, env_id)

    def close(self) -> None:
        """Let the threads end; work that has not begun is dropped."""
        for executor in (self._executor, self._preparing):
            executor.shutdown(wait=False, cancel_futures=True)

    def _analyse(self, env_id: str, position: Position, simulations: int, evaluate: Evaluate) -> Analysis:
        with self._search(env_id) as search:
            return analysed(search, position, simulations, evaluate)

    @contextmanager
    def _search(self, env_id: str) -> Iterator[Search]:
        """A search of a game that no other thread uses meanwhile."""
        if env_id not in self._rules:
            self.prepare(env_id)
        idle = self._idle[env_id]
        search = idle.pop()  # atomic, as is append
        try:
            yield search
        finally:
            idle.append(search)
