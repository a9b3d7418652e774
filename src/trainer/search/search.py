"""Search over many games at once.

    search = Search("connect4", slots=256, most_simulations=100)
    visits, values = search.run(states, 100, evaluate)

`evaluate(observation, legal) -> (prior, value)` is all that search knows of networks: observation float32 [B, obs_size],
legal bool [B, A], prior float32 [B, A] zero where not legal and summing to 1, value float32 [B] in [-1, 1] for the mover.
The same object must always answer the same, for its answers may be kept; another one is asked anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.games import game_of
from trainer.games.base import Mask, State
from trainer.games.kernels import link_kernels
from trainer.search import cache as cache_kernels
from trainer.search import tree as tree_kernels
from trainer.search.cache import empty_cache
from trainer.search.tree import DRAWN, EDGE, NOBODY, NODE, UNKNOWN, Selection, Tree

Prior = NDArray[np.float32]
Values = NDArray[np.float32]
Evaluate = Callable[[NDArray[np.float32], Mask], tuple[Prior, Values]]

BATCH_STEP = 32
"""Batches are filled up to a multiple of this: each new size costs ONNX Runtime time and memory."""


@dataclass(frozen=True)
class SearchConfig:
    """The constants of the search, the same for every game."""

    c_puct: float = 1.5
    """Weight of the prior against the value (PUCT)."""
    fpu_reduction: float = 0.25
    """How much worse than its parent a move is taken to be before its first visit, times sqrt(visited prior)."""
    policy_temperature: float = 1.0
    """Every prior is taken to the power of 1 / this: above 1, moves that the network is sure are bad get a look sooner.

    1 in self-play, whose targets would flatten with it (Leela Chess Zero plays with 1.36, KataGo with 1).
    """
    noise_fraction: float = 0.25
    """Share of Dirichlet noise in the root's priors, in self-play only (AlphaZero)."""
    considered: int = 16
    """Moves that a Gumbel search considers at the root, at most."""
    value_scale: float = 0.1
    """Weight of a move's value against its logit there, times 50 + the visits of the most visited (Gumbel MuZero)."""
    cache: int = 0
    """Evaluations that are kept for the next time the position turns up; 0 = none. Changes no result."""


@dataclass(frozen=True)
class RootMoves:
    """What a search found out about each legal move of the position it started from. L legal moves."""

    actions: NDArray[np.int32]
    """[L] ascending."""
    visits: NDArray[np.int32]
    """[L] simulations that went through the move."""
    values: Values
    """[L] for the player who has the move; NaN where no simulation went."""
    proven: NDArray[np.int8]
    """[L] UNKNOWN, LOSS, DRAWN or WIN of `trainer.mcts.tree`, for the player who has the move."""


class Search:
    """G trees in lockstep. Their memory is allocated here, once, and touched only as far as it is used."""

    def __init__(self, env_id: str, slots: int, most_simulations: int, config: SearchConfig | None = None) -> None:
        config = config or SearchConfig()
        game = game_of(env_id)
        nodes = most_simulations + 2  # the root, a node a simulation
        edges = (most_simulations + 1) * game.num_actions
        self.game = game
        self.slots = slots
        self.most_simulations = most_simulations
        considered = min(config.considered, game.num_actions)
        self.selection = Selection(
            config.c_puct,
            config.fpu_reduction,
            config.policy_temperature,
            config.noise_fraction,
            config.value_scale,
            np.zeros((considered + 1, most_simulations + 1), np.int32),
        )
        self.tree = Tree(
            nodes=np.zeros((slots, nodes), NODE),
            states=np.zeros((slots, nodes, game.state_words), np.uint64),
            edges=np.zeros((slots, edges), EDGE),
            used_nodes=np.zeros(slots, np.int32),
            used_edges=np.zeros(slots, np.int32),
            leaf=np.full(slots, NOBODY, np.int64),
            row=np.zeros(slots, np.int32),
            budget=np.zeros(slots, np.int32),
            noise=np.zeros((slots, game.num_actions), np.float32),
            gumbel=np.zeros(slots, np.bool_),
            state=np.zeros(game.state_words, np.uint64),
            board=np.zeros(game.num_cells, np.uint8),
            mask=np.zeros(game.num_actions, np.bool_),
        )
        self.cache = empty_cache(game, config.cache)
        self._asked: Evaluate | None = None  # whose answers are in the cache
        self.observation = np.zeros((slots, game.obs_size), np.float32)
        self.legal = np.zeros((slots, game.num_actions), np.bool_)
        self.simulations_done = 0
        self.plan(most_simulations)
        self._kernels = link_kernels(env_id, cache_kernels, tree_kernels, warm_up=self._warm_up).tree

    def plan(self, simulations: int) -> None:
        """Have Gumbel searches share out so many simulations from now on."""
        for considered, visited in enumerate(self.selection.halving):
            visited[:simulations] = halving(considered, simulations)

    def step(self, evaluate: Evaluate) -> int:
        """One evaluation in every slot that has budget, or the last simulation; returns the number of leaves evaluated."""
        self.turn_to(evaluate)
        waiting, done = self._kernels.descend(self.tree, self.selection, self.cache, self.observation, self.legal)
        self.simulations_done += done
        if waiting:
            answer = self.ask(evaluate, waiting)
            self.simulations_done += self._kernels.expand(self.tree, self.selection, self.cache, self.legal, *answer)
        return int(waiting)

    def turn_to(self, evaluate: Evaluate) -> None:
        """Forget what another one has answered."""
        if evaluate is not self._asked:
            self._asked = evaluate
            self.cache.generation[0] += 1

    def ask(self, evaluate: Evaluate, waiting: int) -> tuple[Prior, Values]:
        """Have the leaves that wait evaluated, as many rows of `observation`; at least one."""
        batch = slice(min(-(-waiting // BATCH_STEP) * BATCH_STEP, self.slots))
        return evaluate(self.observation[batch], self.legal[batch])

    def run(self, states: State, simulations: int, evaluate: Evaluate) -> tuple[Prior, Values]:
        """Search every position, without noise.

        `states` uint64 [R, S] of unfinished games, any number of them. Returns the share of visits of each action,
        float32 [R, A], and the value for the mover, float32 [R].
        """
        if simulations > self.most_simulations:
            raise ValueError(f"{simulations} simulations are more than most_simulations = {self.most_simulations}")
        states = np.ascontiguousarray(states)  # the layout that the kernels were compiled for
        visits = np.zeros((len(states), self.game.num_actions), np.float32)
        values = np.zeros(len(states), np.float32)
        for first in range(0, len(states), self.slots):
            part = slice(first, first + self.slots)
            self._kernels.begin_all(self.tree, states[part], simulations)
            while self.step(evaluate):
                pass
            self._kernels.answer_all(self.tree, visits[part], values[part])
        return visits, values

    def root_moves(self, slot: int) -> RootMoves:
        """The moves at the root of the last search in a slot."""
        nodes = self.tree.nodes[slot]
        first = int(nodes[0]["first_edge"])
        edges = slice(first, first + int(nodes[0]["num_edges"]))
        order = np.argsort(self.tree.edges[slot, edges]["action"])
        moves = self.tree.edges[slot, edges][order]
        reached = nodes[np.maximum(moves["node"], 0)]
        visits = np.where(moves["node"] == NOBODY, 0, reached["visits"]).astype(np.int32)
        proven = np.where(visits == 0, UNKNOWN, reached["proven"]).astype(np.int8)
        mean = np.where(visits == 0, np.nan, reached["value_sum"] / np.maximum(visits, 1))
        return RootMoves(
            actions=moves["action"].copy(),
            visits=visits,
            values=np.where(proven == UNKNOWN, mean, proven - np.float32(DRAWN)).astype(np.float32),
            proven=proven,
        )

    def _warm_up(self, linked: Linked) -> None:
        """Call each kernel once, with nothing to do."""
        kernels = linked.tree
        prior = np.zeros((0, self.game.num_actions), np.float32)
        value = np.zeros(0, np.float32)
        kernels.begin_all(self.tree, np.zeros((0, self.game.state_words), np.uint64), 0)
        kernels.descend(self.tree, self.selection, self.cache, self.observation, self.legal)
        kernels.expand(self.tree, self.selection, self.cache, self.legal, prior, value)
        kernels.answer_all(self.tree, prior, value)


def halving(considered: int, simulations: int) -> list[int]:
    """Sequential halving (Karnin, Koren and Somekh 2013): how often the move of each simulation was visited before.

    All the moves that are considered are visited alike, then the better half of them, and so on down to two; every phase
    gets about the same share of the simulations.
    """
    visited: list[int] = []
    phases, left, each = max(1, math.ceil(math.log2(max(considered, 1)))), max(considered, 1), 0
    while len(visited) < simulations:
        for _ in range(max(1, simulations // (phases * left))):
            visited += [each] * left
            each += 1
        left = max(2, left // 2) if considered > 1 else 1
    return visited[:simulations]
