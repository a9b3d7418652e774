"""The evaluation cache: positions are never confused, and no answer is used for another evaluator."""

from __future__ import annotations

import numpy as np
import pytest
from kinds import every_kind
from lines_of_play import random_lines
from numpy.typing import NDArray

from trainer.evaluators.interface import Evaluate
from trainer.games import game_of
from trainer.games.base import Mask, State
from trainer.games.kernels import link_kernels
from trainer.games.positions import Positions
from trainer.search import Search, SearchConfig, policies
from trainer.search import cache as cache_kernels
from trainer.search.cache import MISSING, Cache, empty_cache


def positions(env_id: str, games: int) -> State:
    """The unfinished positions of random games, each once, uint64 [number, S]."""
    states = [position.state for line in random_lines(env_id, games) for position in line.positions[:-1]]
    return np.unique(np.array(states), axis=0)


class CountingEvaluator:
    """An evaluator that counts the positions it is given. Its answers depend on the position and on `shift`."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift
        self.rows = 0

    def __call__(
        self, observation: NDArray[np.float32], legal: Mask
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.rows += len(legal)
        weights = np.random.default_rng(1).normal(size=(observation.shape[1], legal.shape[1] + 1))
        scores = np.sin((observation[:, :, None] * weights).sum(axis=1) + self.shift)
        prior = np.where(legal, np.exp(scores[:, 1:]), 0)
        prior /= np.maximum(prior.sum(axis=1, keepdims=True), 1e-9)
        return prior.astype(np.float32), scores[:, 0].astype(np.float32)


@every_kind
@pytest.mark.parametrize("entries", [1, 2, 3, 100_000])
def test_a_search_finds_the_same_with_and_without_a_cache(env_id: str, entries: int) -> None:
    """To the last bit: with room for everything, and with so little that each position replaces another."""
    states = positions(env_id, 2)[:24]
    plain, cached = Search(env_id, 8, 40), Search(env_id, 8, 40, SearchConfig(cache=entries))
    evaluate = CountingEvaluator()
    visits, values = plain.run(states, 40, evaluate)
    for _ in range(2):
        again = cached.run(states, 40, evaluate)
        np.testing.assert_array_equal(again[0], visits)
        np.testing.assert_array_equal(again[1], values)


def test_a_position_is_evaluated_once_per_evaluator() -> None:
    """A second search of a position evaluates nothing. Another evaluator starts anew, as does the first one after it."""
    state = positions("connect4", 1)[:1]
    search = Search("connect4", 1, 50, SearchConfig(cache=100_000))
    one, other = CountingEvaluator(), CountingEvaluator(shift=1.0)

    def rows_of(evaluate: CountingEvaluator) -> int:
        """How many positions the search had evaluated."""
        before = evaluate.rows
        search.run(state, 50, evaluate)
        return evaluate.rows - before

    first = rows_of(one)
    assert first > 30
    assert rows_of(one) == 0
    assert rows_of(other) > 30
    assert rows_of(one) == first


def test_answers_are_those_of_the_current_evaluator() -> None:
    """A search whose evaluator changes always finds what a new search would."""
    states = positions("connect4", 1)[:8]
    search = Search("connect4", 8, 30, SearchConfig(cache=100_000))
    evaluators: list[Evaluate] = [CountingEvaluator(), CountingEvaluator(shift=1.0)]
    for evaluate in (*evaluators, *evaluators):
        visits, values = search.run(states, 30, evaluate)
        expected = Search("connect4", 8, 30).run(states, 30, evaluate)
        np.testing.assert_array_equal(visits, expected[0])
        np.testing.assert_array_equal(values, expected[1])


def test_without_a_cache_every_position_is_evaluated_again() -> None:
    """The default: two searches make twice the evaluations."""
    state, evaluate = positions("tictactoe", 1)[:1], CountingEvaluator()
    search = Search("tictactoe", 1, 20)
    search.run(state, 20, evaluate)
    once = evaluate.rows
    search.run(state, 20, evaluate)
    assert evaluate.rows == 2 * once


def stored(env_id: str, entries: int, states: State) -> Cache:
    """A cache in which every position was stored in turn; all numbers of its answer are its row."""
    kernels = link_kernels(env_id, policies, cache_kernels).cache
    cache = empty_cache(game_of(env_id), entries)
    legal = np.ones(game_of(env_id).num_actions, np.bool_)
    legal[game_of(env_id).most_moves :] = False
    for row, state in enumerate(states):
        kernels.store(cache, state, legal, np.full(game_of(env_id).num_actions, row, np.float32), np.float32(row))
    return cache


@every_kind
def test_an_entry_is_found_by_the_whole_position_only(env_id: str) -> None:
    """In a table with one place only the last position is left, and it differs from any other in a single bit."""
    states = positions(env_id, 3)
    kernels = link_kernels(env_id, policies, cache_kernels).cache
    cache = stored(env_id, 1, states)
    assert [kernels.find(cache, state) for state in states] == [MISSING] * (len(states) - 1) + [0]
    assert cache.entries[0]["value"] == len(states) - 1
    assert (cache.entries[0]["prior"][: game_of(env_id).most_moves] == len(states) - 1).all()
    for word in (0, *range(2, game_of(env_id).deciding_words)):
        for bit in range(1 if word else 0, 64 if word else 2):
            other = states[-1].copy()
            other[word] ^= np.uint64(1 << bit)
            assert kernels.find(cache, other) == MISSING


@every_kind
def test_the_prior_of_every_legal_move_is_kept(env_id: str) -> None:
    """Whether numbers are kept for all actions or for the legal ones; the others are 0."""
    generator, game = np.random.default_rng(0), game_of(env_id)
    kernels, cache = link_kernels(env_id, policies, cache_kernels), empty_cache(game, 1)
    played = Positions(env_id, 1).of(positions(env_id, 3))
    for state, legal in zip(played.states, played.legal(), strict=True):
        prior = generator.random(game.num_actions).astype(np.float32) * legal
        kernels.cache.store(cache, state, legal, prior, np.float32(0))
        kept = cache.entries[0]["prior"]
        if game.few_legal:
            kernels.policies.unpack(kept, legal, cache.prior)
            kept = cache.prior
        assert kept.tolist() == prior.tolist()


@every_kind
def test_positions_are_spread_evenly_over_the_table(env_id: str) -> None:
    """As if by chance: N positions in 4 N places fill about 4 N (1 - exp(-1/4)) of them."""
    states = positions(env_id, 40)
    kernels = link_kernels(env_id, policies, cache_kernels).cache
    cache = empty_cache(game_of(env_id), 4 * len(states))
    places = {kernels.place(cache, state) for state in states}
    assert min(places) >= 0
    assert max(places) < 4 * len(states)
    assert len(places) > 0.95 * 4 * len(states) * (1 - np.exp(-0.25))


@every_kind
def test_an_emptied_cache_has_no_entries(env_id: str) -> None:
    """Counting the generation up is enough. What is stored afterwards is found."""
    states = positions(env_id, 2)
    kernels = link_kernels(env_id, policies, cache_kernels).cache
    cache = stored(env_id, 10_000, states)
    assert sum(kernels.find(cache, state) != MISSING for state in states) > 0.9 * len(states)
    cache.generation[0] += 1
    assert all(kernels.find(cache, state) == MISSING for state in states)
    legal = np.zeros(game_of(env_id).num_actions, np.bool_)
    kernels.store(cache, states[0], legal, legal.astype(np.float32), np.float32(0.5))
    assert cache.entries[kernels.find(cache, states[0])]["value"] == 0.5
