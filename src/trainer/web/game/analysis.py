"""What a player thinks of a position: the value, and of each move its prior, visits and value."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock, local
from types import ModuleType
from typing import Any

import numpy as np

from trainer.compile.linker import compiled
from trainer.evaluators.uniform import uniform
from trainer.games import ENV_IDS
from trainer.games.base import MOVER
from trainer.games.position import Position
from trainer.players.network import PLAYING
from trainer.search import Evaluate, Search
from trainer.search.tree import DRAWN, LOSS, WIN

MOST_SIMULATIONS = 800
PROVEN = {LOSS: "loss", DRAWN: "draw", WIN: "win"}


@dataclass(frozen=True)
class Thought:
    """One legal move, as the player to move sees it."""

    action: int
    prior: float
    """The network's own; search softens it."""
    visits: int
    share: float
    """Of the visits; without simulations the prior."""
    value: float | None
    """None where no simulation went."""
    proven: str | None
    """"win", "draw" or "loss" where search has proven it."""


@dataclass(frozen=True)
class Mind:
    """What a player thinks of one position."""

    mover: int
    value: float
    """For the mover, in [-1, 1]."""
    best: int
    simulations: int
    thoughts: tuple[Thought, ...]


class Engine:
    """Searches single positions on a few threads; each thread keeps one search a game, sized for MOST_SIMULATIONS."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="search")
        self._own = local()
        self._compiling = Lock()
        self._rules: dict[str, ModuleType] = {}

    async def think(self, env_id: str, position: Position, simulations: int, evaluate: Evaluate) -> Mind:
        """Search an unfinished position; 0 simulations: the evaluator's first guess alone."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._think, env_id, position, simulations, evaluate)

    async def rules(self, env_id: str) -> ModuleType:
        """The compiled rules of a game; the first call on a machine compiles for some seconds."""
        found = self._rules.get(env_id)
        if found is None:
            found = await asyncio.get_running_loop().run_in_executor(self._executor, self.prepare, env_id)
        return found

    def prepare(self, env_id: str) -> ModuleType:
        """Compile a game's rules and its search, or load them from the cache."""
        with self._compiling:
            if env_id not in self._rules:
                rules = compiled(env_id, warm_up=_warm_up)[0]
                first = Position.first(rules)
                Search(env_id, 1, 1).run(first.state[None], 1, uniform)
                self._rules[env_id] = rules
        return self._rules[env_id]

    def prepare_all(self) -> None:
        """Prepare every game, on another thread."""
        for env_id in ENV_IDS:
            self._executor.submit(self.prepare, env_id)

    def close(self) -> None:
        """Let the threads end; what waits is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _think(self, env_id: str, position: Position, simulations: int, evaluate: Evaluate) -> Mind:
        search = self._search(env_id)
        visits, values = search.run(position.state[None], simulations, evaluate)
        found = search.root_moves(0)
        legal = np.zeros((1, search.game.num_actions), np.bool_)
        legal[0, found.actions] = True
        prior, _ = evaluate(position.observation[None], legal)  # the search's own priors are softened
        share = visits if simulations else prior
        return Mind(
            mover=int(position.state[MOVER]),
            value=float(values[0]),
            best=int(share[0].argmax()),
            simulations=simulations,
            thoughts=tuple(
                Thought(
                    action=int(action),
                    prior=float(prior[0, action]),
                    visits=int(found.visits[at]),
                    share=float(share[0, action]),
                    value=None if np.isnan(found.values[at]) else float(found.values[at]),
                    proven=PROVEN.get(int(found.proven[at])),
                )
                for at, action in enumerate(found.actions)
            ),
        )

    def _search(self, env_id: str) -> Search:
        """This thread's search of a game."""
        searches: dict[str, Search] = self._own.__dict__.setdefault("searches", {})
        if env_id not in searches:
            with self._compiling:
                searches[env_id] = Search(env_id, slots=1, most_simulations=MOST_SIMULATIONS, config=PLAYING)
        return searches[env_id]


def _warm_up(rules: Any, rows: ModuleType) -> None:
    """Call each of a game's functions once."""
    position = Position.first(rules)
    position = position.play(position.legal[0])
    Position.from_bytes(rules, position.to_bytes())
