"""The games of one thread, played in lockstep."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.actor import moves as move_kernels
from trainer.actor import random_numbers as random_kernels
from trainer.actor.moves import EMPTY, FINISHED, PLAYING, READY, Games, Leaves, MoveSettings, ply_record
from trainer.actor.played import PlayedGame
from trainer.compile.linker import Linked
from trainer.core.arguments import narrowed
from trainer.evaluators import answers
from trainer.evaluators.interface import Evaluator, Prior, Values
from trainer.games import splitmix
from trainer.games.base import Game
from trainer.games.kernels import link_kernels
from trainer.search import KERNELS, Search, SearchConfig
from trainer.settings.groups.self_play import SelfPlaySettings
from trainer.sparse import forward, lanes
from trainer.sparse.network import NO_NETWORK, SparseNetwork, memory_for

COLLECT_SHARE = 32
"""Finished games are taken out of their slots once they fill 1 / this of them: Python code that runs rarely is slow, because
the kernels evict it from the processor's caches."""
COLLECT_STEPS = 16
"""Steps after which fewer finished games are taken out."""
STEPS_IN_KERNEL = 15
"""Steps made without returning to Python, if the kernels can evaluate the network themselves."""


class SelfPlay:
    """G games in lockstep. `step` evaluates one position of each and returns games that have ended."""

    def __init__(
        self,
        env_id: str,
        slots: int,
        numbers: Iterator[int],
        seed: int,
        actor_id: str,
        settings: SelfPlaySettings | None = None,
    ) -> None:
        """Play G = `slots` games, numbered by `numbers`. Game n depends on (seed, actor_id, n) and the models alone."""
        self.settings = settings or SelfPlaySettings()
        self.search = Search(env_id, slots, self.settings.simulations, narrowed(self.settings, SearchConfig))
        self._progress = 1.0
        self._moves = self._moves_at(self._progress)
        game = self.search.game
        self._numbers = numbers
        self._exhausted = False
        self._vacant = True  # a slot may be empty
        self._waiting = 0  # leaves to be evaluated
        self._finished = self._steps = 0  # finished games, and steps since such were taken out
        self._enough = max(1, slots // COLLECT_SHARE)
        self._no_answer = np.zeros((0, game.num_actions), np.float32), np.zeros(0, np.float32)
        self._layers, self._memory = NO_NETWORK, memory_for(NO_NETWORK, slots)
        self._leaves = Leaves(
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
        kernels = (*KERNELS, splitmix, random_kernels, lanes, forward, answers, move_kernels)
        self._kernels = link_kernels(env_id, *kernels, warm_up=self._warm_up).moves

    def step(self, evaluator: Evaluator) -> list[PlayedGame]:
        """One evaluation in every game, and the moves that follow; some more if kernels can evaluate the network."""
        self._follow(evaluator.progress)
        if self._vacant:
            self._begin_games()
        search = self.search
        search.turn_to(evaluator)
        answer = search.ask(evaluator, self._waiting) if self._waiting else self._no_answer
        further = self._adopt(evaluator.layers)
        enough = self._enough - self._finished
        self._waiting, done, ended = self._kernels.play(*self._arguments(answer), further, enough)
        search.simulations_done += done
        self._steps += further
        return self._collect(ended)

    def play_randomly(self) -> list[PlayedGame]:
        """Play all games to their end by uniformly random moves, for as long as there is no model."""
        self._follow(0.0)
        if self._vacant:
            self._begin_games()
        self._waiting, ended = 0, self._kernels.play_random(self._games, self.search.tree, self._moves)
        return self._collect(ended)

    def _follow(self, progress: float) -> None:
        """Adapt the length of searches to how much of the run is done, 0 to 1."""
        if progress != self._progress and self.settings.first_simulations is not None:
            self._progress, self._moves = progress, self._moves_at(progress)
            self.search.plan(self._moves.simulations)

    def _moves_at(self, progress: float) -> MoveSettings:
        """How moves are made at this `progress` (0 to 1) of the run."""
        settings, simulations = self.settings, self.settings.simulations
        if settings.first_simulations is not None:
            first = settings.first_simulations
            simulations = round(first + progress * (simulations - first))
        usual = self.search.game.usual_plies
        sampled = max(1, usual // 4) if settings.sampled_plies is None else settings.sampled_plies
        most = usual // 2 if settings.random_plies is None else settings.random_plies
        fewest = usual // 10 if settings.fewest_random_plies is None else settings.fewest_random_plies
        fewest = min(fewest, most)
        return MoveSettings(
            simulations=simulations,
            gumbel=settings.gumbel,
            noise_alpha=float(settings.noise_alpha),
            sampled_plies=sampled,
            random_openings=float(settings.random_openings),
            fewest_random_plies=fewest,
            most_random_plies=most,
        )

    def _adopt(self, layers: SparseNetwork | None) -> int:
        """Have the kernels evaluate this network from now on; returns how many steps they make with it."""
        if layers is None:
            return 0
        if layers is not self._layers:
            self._layers, self._memory = layers, memory_for(layers, self.search.slots)
        return STEPS_IN_KERNEL

    def _arguments(self, answer: tuple[Prior, Values]) -> tuple[Any, ...]:
        """What `moves.play` works on; `answer` is the evaluation of the waiting leaves."""
        search = self.search
        trees = (search.tree, search.selection, search.cache)
        return (self._games, *trees, self._moves, self._leaves, *answer, self._layers, self._memory)

    def _collect(self, ended: int) -> list[PlayedGame]:
        """Take finished games out of their slots, if there are enough or if some have waited long."""
        self._steps, self._finished = self._steps + 1, self._finished + ended
        if self._finished >= self._enough or (self._finished and self._steps >= COLLECT_STEPS):
            return self.take_finished()
        return []

    @property
    def waiting(self) -> int:
        """Leaves that wait for the evaluation of the next step."""
        return self._waiting

    @property
    def idle(self) -> bool:
        """No game is in progress and none will begin."""
        return self._exhausted and bool((self._games.status == EMPTY).all())

    def give_up(self, seconds: float) -> list[int]:
        """Drop the games that began longer ago than that; returns their numbers."""
        late = np.flatnonzero((self._games.status == PLAYING) & (self._began < time.monotonic() - seconds))
        self._games.status[late] = EMPTY
        self._vacant = True
        self.search.tree.budget[late] = 0
        return [int(number) for number in self._games.number[late]]

    def excuse(self, seconds: float) -> None:
        """Don't count these seconds as time that the games in progress took: nobody played."""
        self._began += seconds

    def _begin_games(self) -> None:
        """Begin games in the empty slots, as long as there are numbers left."""
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

    def take_finished(self) -> list[PlayedGame]:
        """Copy the finished games out of their slots. `step` does that itself, but not after every step."""
        games, played = self._games, []
        for slot in np.flatnonzero(games.status == FINISHED):
            first, last = int(games.opening_plies[slot]), games.ply[slot]
            plies = games.plies[slot, first : last + 1].copy()
            cut_off = bool(games.cut_off[slot])
            played.append(PlayedGame(int(games.number[slot]), plies, self._policies(plies), first, cut_off))
            games.status[slot] = EMPTY
        self._vacant = True
        self._steps = self._finished = 0
        return played

    def _policies(self, plies: NDArray[Any]) -> NDArray[np.float32]:
        """The policy targets [P, A] of a game's records [P + 1]."""
        if not self.search.game.few_legal:
            visits: NDArray[np.float32] = plies["visits"][:-1]
            return visits
        unpacked = np.empty((len(plies) - 1, self.search.game.num_actions), np.float32)
        self._kernels.unpack_policies(plies, self.search.tree, unpacked)
        return unpacked

    def _warm_up(self, linked: Linked) -> None:
        """Call each kernel once, without a game."""
        games = self._games
        linked.moves.play(*self._arguments(self._no_answer), 0, 1)
        linked.moves.play_random(games, self.search.tree, self._moves)
        linked.moves.unpack_policies(games.plies[0], self.search.tree, self._no_answer[0])
        games.status[:] = EMPTY


def allocate(game: Game, slots: int) -> Games:
    """Memory for `slots` games, all empty."""
    return Games(
        run=np.zeros(1, np.uint64),
        status=np.full(slots, EMPTY, np.int8),
        number=np.zeros(slots, np.int64),
        key=np.zeros(slots, np.uint64),
        ply=np.zeros(slots, np.int32),
        opening_plies=np.zeros(slots, np.int32),
        plies=np.zeros((slots, game.max_plies + 1), ply_record(game)),
        cut_off=np.zeros(slots, np.bool_),
        policy=np.zeros(game.num_actions, np.float32),
    )
