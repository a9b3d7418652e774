"""Search over many games at once.

    search = Search("connect4", slots=256, most_simulations=100)
    shares, values = search.run(states, 100, evaluate)

`evaluate(observation, legal) -> (prior, value)` is all that search knows of networks: observation float32 [B, obs_size],
legal bool [B, A], prior float32 [B, A] zero where not legal and summing to 1, value float32 [B] in [-1, 1] for the mover.
An evaluator must always give the same answers, because they may be cached. Another evaluator object empties the cache.
Its arguments are memory of the search, which the next step overwrites: it copies what it keeps, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.evaluators.interface import Evaluate, Prior, Values, require_in_range
from trainer.games import game_of
from trainer.games.base import State
from trainer.games.kernels import link_kernels
from trainer.search import (
    backup,
    cache,
    forced,
    gumbel,
    policies,
    priors,
    proofs,
    puct,
    simulations,
    transpositions,
    tree,
)
from trainer.search.cache import empty_cache
from trainer.search.gumbel import halving
from trainer.search.selection import Selection
from trainer.search.tree import DRAWN, LOSS, NO_NODE, TINY, UNKNOWN, WIN, empty_tree
from trainer.settings.groups.search import SearchSettings
from trainer.settings.groups.self_play import require_cache
from trainer.settings.validation import require_above_0

KERNELS = (policies, cache, tree, transpositions, proofs, forced, backup, priors, puct, gumbel, simulations)
"""The kernel modules of the search, in the order in which they are linked: for others whose kernels call them."""
BATCH_STEP = 32
"""Batches are filled up to a multiple of this, because each new size costs ONNX Runtime time and memory."""
LONGEST_LINE = 32
"""The most moves of a principal variation, unless another number is asked for."""


@dataclass(frozen=True)
class SearchConfig(SearchSettings):
    """The settings of one search."""

    policy_temperature: float = 1.0
    """Every prior is raised to the power of 1 / this. Above 1, moves that the network is sure are bad are tried sooner.

    It is 1 in self-play, because it would flatten the policy targets (Leela Chess Zero plays with 1.36, KataGo with 1).
    """
    cache: int = 0
    """Evaluations that are kept in case the position comes up again; 0 = none. The results are the same either way."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        super().check()
        require_above_0(self, "policy_temperature")
        require_cache(self.cache)


@dataclass(frozen=True)
class RootMoves:
    """What a search found out about each legal move of the position it started from. L legal moves."""

    actions: NDArray[np.int32]
    """[L] ascending."""
    visits: NDArray[np.int32]
    """[L] simulations that began with the move."""
    values: Values
    """[L] for the mover; NaN if there was no simulation."""
    proven: NDArray[np.int8]
    """[L] UNKNOWN, LOSS, DRAWN or WIN of `trainer.search.tree`, for the mover."""


class GumbelResult(NamedTuple):
    """What Gumbel searches found. R positions, A actions."""

    policies: NDArray[np.float32]
    """[R, A] the improved policies, the softmax of log P + sigma(Q) (Danihelka et al. 2022, equation 11)."""
    values: Values
    """[R] for the mover: the mean of Q under the improved policy."""
    actions: NDArray[np.int32]
    """[R] the moves to make: of the most visited ones and the proven draws, that with the largest g + log P + sigma(Q)."""


class Search:
    """G searches in lockstep. Their memory is allocated once, here; most pages that no search reaches are never touched."""

    def __init__(self, env_id: str, slots: int, most_simulations: int, config: SearchConfig | None = None) -> None:
        """G = `slots`; no search may have more simulations than `most_simulations`.

        The attribute `kernels` has the compiled modules of `KERNELS` by name, for callers that steer a search themselves.
        Raises ConfigError for a setting that can't work, GameError for an unknown game.
        """
        config = config or SearchConfig()
        config.check()
        game = game_of(env_id)
        self.game = game
        self.slots = slots
        self.most_simulations = most_simulations
        considered = min(config.considered, game.num_actions)
        self.selection = Selection(
            float(config.c_puct),  # an int would be another type, for which everything is compiled anew
            float(config.fpu_reduction),
            float(config.policy_temperature),
            float(config.noise_fraction),
            float(config.value_scale),
            np.zeros((considered + 1, most_simulations + 1), np.int32),
        )
        self.tree = empty_tree(game, slots, most_simulations)
        self.cache = empty_cache(game, config.cache)
        self._asked: Evaluate | None = None  # whose answers are in the cache
        self.observation = np.zeros((slots, game.obs_size), np.float32)
        self.legal = np.ones((slots, game.num_actions), np.bool_)  # a batch may have rows that no leaf was written to
        self.simulations_done = 0
        self.plan(most_simulations)
        self.kernels = link_kernels(env_id, *KERNELS, warm_up=self._warm_up)

    def plan(self, simulations: int) -> None:
        """Write the halving schedules for this many simulations.

        Gumbel searches in progress use them at once. One that was begun with more simulations follows the old schedule for
        the rest.
        """
        for considered, visited in enumerate(self.selection.halving):
            visited[:simulations] = halving(considered, simulations)

    def step(self, evaluate: Evaluate) -> int:
        """One evaluation in every slot that has budget, or the last simulation; returns the number of evaluated leaves.

        Raises ValueError if an answer has another shape than the batch, or isn't as `Evaluate` says.
        """
        self.turn_to(evaluate)
        kernels = self.kernels.simulations
        waiting, done = kernels.descend(self.tree, self.selection, self.cache, self.observation, self.legal)
        self.simulations_done += done
        if waiting:
            answer = self.ask(evaluate, waiting)
            prior, value = answer
            require_in_range(prior[:waiting], value[:waiting], self.legal[:waiting])
            self.simulations_done += kernels.expand(self.tree, self.selection, self.cache, self.legal, *answer)
        return int(waiting)

    def turn_to(self, evaluate: Evaluate) -> None:
        """Empty the cache if its answers are another evaluator's."""
        if evaluate is not self._asked:
            self._asked = evaluate
            self.cache.generation[0] += 1

    def ask(self, evaluate: Evaluate, waiting: int) -> tuple[Prior, Values]:
        """Have the waiting leaves evaluated, at least one; they are the first rows of `observation`."""
        rows = min(-(-waiting // BATCH_STEP) * BATCH_STEP, self.slots)
        answer = evaluate(self.observation[:rows], self.legal[:rows])
        prior, value = (np.ascontiguousarray(part, np.float32) for part in answer)
        if prior.shape != (rows, self.game.num_actions) or value.shape != (rows,):
            raise ValueError(
                f"the evaluator answers priors {prior.shape} and values {value.shape} for {rows} positions; search needs "
                f"({rows}, {self.game.num_actions}) and ({rows},)"
            )
        return prior, value

    def run(self, states: State, simulations: int, evaluate: Evaluate) -> tuple[Prior, Values]:
        """Search every position, without noise.

        `states` uint64 [R, S] of unfinished games, any number of them. Returns each action's share of the visits,
        float32 [R, A], and the value for the mover, float32 [R]. Proven wins share everything if there are any, and proven
        losses get nothing unless all moves lose. Where no other move was visited, the shares are the priors. Raises
        ValueError for too many or negative simulations, positions of another shape, and answers that can't be used.
        """
        states = self._checked(states, simulations)
        shares = np.zeros((len(states), self.game.num_actions), np.float32)
        values = np.zeros(len(states), np.float32)
        for part in self._searched(states, simulations, evaluate):
            self.kernels.puct.answer_all(self.tree, shares[part], values[part])
        return shares, values

    def run_gumbel(
        self, states: State, simulations: int, evaluate: Evaluate, rng: np.random.Generator | None = None
    ) -> GumbelResult:
        """Search every position by Gumbel's sequential halving at the root, as self-play does with `gumbel`.

        `states` uint64 [R, S] of unfinished games, any number of them. `rng` draws the Gumbel noise, by which a move of the
        improved policy is sampled; None: no noise, so it is the best move found. Everything else is as in `run`, also what
        is raised.
        """
        states = self._checked(states, simulations)
        noise = np.zeros((len(states), self.game.num_actions), np.float32)
        if rng is not None:
            noise[:] = rng.gumbel(size=noise.shape)
        found = GumbelResult(np.zeros_like(noise), np.zeros(len(states), np.float32), np.zeros(len(states), np.int32))
        self.plan(simulations)
        for part in self._searched(states, simulations, evaluate, noise):
            results = (array[part] for array in found)
            self.kernels.gumbel.answer_all(self.tree, self.selection, *results)
        return found

    def _checked(self, states: State, simulations: int) -> State:
        """The states in the layout that the kernels were compiled for. Raises ValueError for what can't be searched."""
        if simulations < 0:
            raise ValueError(f"{simulations} simulations can't be made; give 0 or more")
        if simulations > self.most_simulations:
            raise ValueError(f"{simulations} simulations are more than most_simulations = {self.most_simulations}")
        if states.ndim != 2 or states.shape[1] != self.game.state_words:
            raise ValueError(
                f"the states are {states.shape}; those of {self.game.env_id} are (R, {self.game.state_words})"
            )
        return np.ascontiguousarray(states)

    def _searched(
        self, states: State, simulations: int, evaluate: Evaluate, noise: NDArray[np.float32] | None = None
    ) -> Iterator[slice]:
        """Search up to G positions at a time, in the first slots, and yield which ones they are.

        With `noise` [R, A], which may be all 0, they are Gumbel searches.
        """
        for first in range(0, len(states), self.slots):
            part = slice(first, first + self.slots)
            self.tree.noise[:] = 0.0
            if noise is not None:
                self.tree.noise[: len(noise[part])] = noise[part]
            self.kernels.tree.begin_all(self.tree, states[part], simulations, noise is not None)
            while self.step(evaluate):
                pass
            yield part

    def root_moves(self, slot: int) -> RootMoves:
        """The moves at the root of the last search in a slot."""
        moves, proven = self._moves_of(slot, 0)
        mean = np.where(moves["visits"] == 0, np.nan, moves["q"])
        return RootMoves(
            actions=moves["action"].copy(),
            visits=moves["visits"].copy(),
            values=np.where(proven == UNKNOWN, mean, proven - np.float32(DRAWN)).astype(np.float32),
            proven=proven,
        )

    def principal_variation(self, slot: int, most: int = LONGEST_LINE) -> list[int]:
        """The actions, at most `most`, that both players make if they follow the last search in a slot, one of `run`.

        The first is the one with the largest share. Each player makes a proven win, else the most visited move that isn't a
        proven loss; if all are, the most visited one. Of equal ones it is the smallest action. No later action is one that
        wasn't visited.
        """
        line: list[int] = []
        index = 0
        while index != NO_NODE and len(line) < most:
            moves, proven = self._moves_of(slot, index)
            wins, losses = proven == WIN, proven == LOSS
            moves = moves[wins if wins.any() else ~losses | losses.all()]
            weights = moves["visits"]
            if not weights.any():
                if index != 0 or not len(moves):
                    break
                weights = np.maximum(moves["u"], TINY)  # without visits this is the prior
            best = moves[weights.argmax()]
            line.append(int(best["action"]))
            index = int(best["node"])
        return line

    def _moves_of(self, slot: int, index: int) -> tuple[NDArray[Any], NDArray[np.int8]]:
        """The edges of a node by ascending action, and what is proven of each for the player who makes the move."""
        nodes = self.tree.nodes[slot]
        first = int(nodes[index]["first_edge"])
        moves = self.tree.edges[slot, first : first + int(nodes[index]["num_edges"])]
        moves = moves[np.argsort(moves["action"])]
        reached = nodes[np.maximum(moves["node"], 0)]
        return moves, np.where(moves["visits"] == 0, UNKNOWN, reached["proven"]).astype(np.int8)

    def _warm_up(self, linked: Linked) -> None:
        """Call each kernel once, with nothing to do."""
        prior, value = np.zeros((0, self.game.num_actions), np.float32), np.zeros(0, np.float32)
        linked.tree.begin_all(self.tree, np.zeros((0, self.game.state_words), np.uint64), 0, False)
        linked.simulations.descend(self.tree, self.selection, self.cache, self.observation, self.legal)
        linked.simulations.expand(self.tree, self.selection, self.cache, self.legal, prior, value)
        linked.puct.answer_all(self.tree, prior, value)
        linked.gumbel.answer_all(self.tree, self.selection, prior, value, np.zeros(0, np.int32))
