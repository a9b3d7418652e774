"""The games of one thread, played in lockstep."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.actor import moves as move_kernels
from trainer.actor import random_numbers as random_kernels
from trainer.actor.moves import EMPTY, FINISHED, PLAYING, READY, Batch, Effort, Games, ply_record
from trainer.compile.linker import compiled
from trainer.evaluators import answers
from trainer.games.base import DRAW, MOVER, WINNER, Game, State
from trainer.search import Evaluate, Prior, Search, SearchConfig, Values
from trainer.search import cache as cache_kernels
from trainer.search import tree as tree_kernels
from trainer.sparse import forward, lanes
from trainer.sparse.layout import NO_NETWORK, Network, memory_for

TOGETHER = 32
"""Finished games are taken out of their slots when they fill a share of 1 / this: Python that runs seldom is slow, for the
kernels' work drives it out of the processor's caches."""
LONGEST_WAIT = 16
"""Steps after which fewer are taken out."""
FURTHER = 15
"""Steps that are made without coming back to Python, after one whose evaluation was asked for there."""


@dataclass(frozen=True)
class Played:
    """A finished game of P plies, as the search saw it, from the end of its opening on."""

    number: int
    plies: NDArray[Any]
    """[P + 1] as `moves.ply_record` has it, the last one for its state alone."""
    first_ply: int = 0
    """Moves before these, which were drawn at random."""

    @property
    def states(self) -> State:
        """uint64 [P + 1, S]"""
        return self.plies["state"]

    @property
    def actions(self) -> NDArray[np.uint32]:
        """[P]"""
        return self.plies["action"][:-1]

    @property
    def visits(self) -> NDArray[np.float32]:
        """[P, A]"""
        return self.plies["visits"][:-1]

    @property
    def full(self) -> NDArray[np.bool_]:
        """[P] the visits are a policy target."""
        return self.plies["full"][:-1]

    @property
    def values(self) -> NDArray[np.float32]:
        """[P]"""
        return self.plies["value"][:-1]

    @property
    def winner(self) -> int:
        """FIRST, SECOND or DRAW."""
        return int(self.states[-1, WINNER])

    @property
    def outcomes(self) -> NDArray[np.float32]:
        """[P] +1 the mover won the game, 0 draw, -1 lost."""
        return outcomes_of(self.states[:-1], self.winner)


def outcomes_of(states: State, winners: NDArray[np.uint64] | int) -> NDArray[np.float32]:
    """For each position [N, S] of games that `winners` won, [N] or of them all: +1 the mover won, 0 draw, -1 lost."""
    won = np.where(states[:, MOVER] == winners, np.float32(1), np.float32(-1))
    return np.where(winners == DRAW, np.float32(0), won)


@dataclass(frozen=True)
class SelfPlayConfig:
    """How self-play makes its moves."""

    simulations: int = 100
    """Simulations of a full search."""
    first_simulations: int | None = None
    """Of a full search at the beginning of the run, from where they rise in a line to `simulations`; None: always those."""
    full_share: float = 1.0
    """Share of the moves that are searched fully; the others are made fast, without noise, and give no policy target
    (playout cap randomization; Wu 2019)."""
    fast_simulations: int = 20
    """Simulations of a fast search."""
    gumbel: bool = False
    """Full searches visit the root's moves by sequential halving and draw the move by Gumbel noise; their policy target is
    the improved policy instead of the visits (Danihelka et al. 2022)."""
    sampled_plies: int | None = None
    """The first so many moves of a game are drawn, in proportion to their visits or by a Gumbel search's noise, which later
    ones have none of: a game's result should say what its positions are worth. None: a quarter of the board's cells."""
    random_openings: float = 0.0
    """Share of the games that begin with moves drawn from all legal ones, up to half the board's cells of them, so that
    the network also sees positions that good play doesn't lead to. Those moves are not recorded: what comes of a position
    after a move drawn from all says little of its value."""


class SelfPlay:
    """G games in lockstep. `step` evaluates one position of each and returns games that have ended."""

    def __init__(
        self,
        env_id: str,
        slots: int,
        numbers: Iterator[int],
        seed: int,
        actor_id: str,
        config: SelfPlayConfig | None = None,
        search: SearchConfig | None = None,
    ) -> None:
        """Games are numbered by `numbers`; game n is decided by (seed, actor_id, n) and the models alone."""
        self.config = config or SelfPlayConfig()
        self.search = Search(env_id, slots, max(self.config.simulations, self.config.fast_simulations), search)
        self._progress = 1.0
        self._effort = self._plan(self._progress)
        game = self.search.game
        self._numbers = numbers
        self._exhausted = False
        self._vacant = True  # a slot may be empty
        self._waiting = 0  # leaves to be evaluated
        self._finished = self._steps = 0  # games that are finished, steps since such were taken out
        self._together = max(1, slots // TOGETHER)
        self._nothing = np.zeros((0, game.num_actions), np.float32), np.zeros(0, np.float32)
        self._network, self._memory = NO_NETWORK, memory_for(NO_NETWORK, slots)
        self._batch = Batch(
            self.search.observation,
            self.search.legal,
            logits=np.zeros((slots, game.num_actions), np.float32),
            prior=np.zeros((slots, game.num_actions), np.float32),
            value=np.zeros(slots, np.float32),
            found=np.zeros(game.num_actions, np.int64),
        )
        self._began = np.zeros(slots)
        self._games = allocate(game, slots)
        self._games.run[0] = np.frombuffer(hashlib.sha256(f"{seed} {actor_id}".encode()).digest(), np.uint64)[0]
        kernels = (cache_kernels, tree_kernels, random_kernels, lanes, forward, answers, move_kernels)
        *_, self._moves = compiled(env_id, *kernels, warm_up=self._warm_up)

    def _plan(self, progress: float) -> Effort:
        """How long searches are when so much of the run is done, 0 to 1; Gumbel searches share out that many simulations."""
        config, simulations = self.config, self.config.simulations
        if config.first_simulations is not None:
            simulations = round(config.first_simulations + progress * (simulations - config.first_simulations))
        self.search.plan(simulations)
        quarter = self.search.game.num_cells // 4
        return Effort(
            simulations,
            config.fast_simulations,
            float(config.full_share),
            config.gumbel,
            quarter if config.sampled_plies is None else config.sampled_plies,
            float(config.random_openings),
        )

    def step(self, evaluate: Evaluate | None, progress: float = 1.0, network: Network | None = None) -> list[Played]:
        """One evaluation in every game, and the moves that follow; None plays whole games by uniform draws.

        `progress`: how much of the run is done, 0 to 1. `network`: what `evaluate` asks; then a few more steps are made.
        """
        if progress != self._progress and self.config.first_simulations is not None:
            self._progress, self._effort = progress, self._plan(progress)
        if self._vacant:
            self._begin_games()
        search = self.search
        if evaluate is None:
            self._waiting, ended = 0, self._moves.play_random(self._games, search.tree, self._effort)
        else:
            search.turn_to(evaluate)
            answer = search.ask(evaluate, self._waiting) if self._waiting else self._nothing
            further = self._adopt(network)
            enough = self._together - self._finished
            self._waiting, done, ended = self._moves.play(*self._arguments(answer), further, enough)
            search.simulations_done += done
            self._steps += further
        self._steps, self._finished = self._steps + 1, self._finished + ended
        if self._finished >= self._together or (self._finished and self._steps >= LONGEST_WAIT):
            return self._take_finished()
        return []

    def _adopt(self, network: Network | None) -> int:
        """Have the kernels ask this network from now on; returns how many steps they make with it."""
        if network is None:
            return 0
        if network is not self._network:
            self._network, self._memory = network, memory_for(network, self.search.slots)
        return FURTHER

    def _arguments(self, answer: tuple[Prior, Values]) -> tuple[Any, ...]:
        """What `moves.play` works on, `answer` being that to the leaves that wait."""
        search = self.search
        trees = (search.tree, search.selection, search.cache)
        return (self._games, *trees, self._effort, self._batch, *answer, self._network, self._memory)

    @property
    def idle(self) -> bool:
        """No game is under way and none will begin."""
        return self._exhausted and bool((self._games.status == EMPTY).all())

    def give_up(self, seconds: float) -> list[int]:
        """Drop the games that began longer ago than that; returns their numbers."""
        late = np.flatnonzero((self._games.status == PLAYING) & (self._began < time.monotonic() - seconds))
        self._games.status[late] = EMPTY
        self._vacant = True
        self.search.tree.budget[late] = 0
        return [int(number) for number in self._games.number[late]]

    def _begin_games(self) -> None:
        """Let games begin in the empty slots, as long as there are numbers left."""
        now = time.monotonic()
        for slot in np.flatnonzero(self._games.status == EMPTY):
            number = next(self._numbers, None)
            if number is None:
                self._exhausted = True
                return
            self._games.number[slot] = number
            self._games.status[slot] = READY
            self._began[slot] = now
        self._vacant = False

    def _take_finished(self) -> list[Played]:
        """Copy the finished games out of their slots."""
        games, played = self._games, []
        for slot in np.flatnonzero(games.status == FINISHED):
            first, last = int(games.random_plies[slot]), games.ply[slot]
            played.append(Played(int(games.number[slot]), games.plies[slot, first : last + 1].copy(), first))
            games.status[slot] = EMPTY
        self._vacant = True
        self._steps = self._finished = 0
        return played

    def _warm_up(
        self,
        rules: ModuleType,
        rows: ModuleType,
        cache: ModuleType,
        tree: ModuleType,
        random_numbers: ModuleType,
        lanes: ModuleType,
        forward: ModuleType,
        answers: ModuleType,
        moves: ModuleType,
    ) -> None:
        """Call each kernel once, on a game that is thrown away."""
        games = self._games
        moves.play(*self._arguments(self._nothing), 0, 1)
        moves.play_random(games, self.search.tree, self._effort)
        games.status[:] = EMPTY


def allocate(game: Game, slots: int) -> Games:
    """Memory for `slots` games, all of them empty."""
    return Games(
        run=np.zeros(1, np.uint64),
        status=np.full(slots, EMPTY, np.int8),
        number=np.zeros(slots, np.int64),
        key=np.zeros(slots, np.uint64),
        ply=np.zeros(slots, np.int32),
        random_plies=np.zeros(slots, np.int32),
        plies=np.zeros((slots, game.max_plies + 1), ply_record(game)),
    )
