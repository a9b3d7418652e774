"""The evaluation cache: nothing is mistaken for anything else, and no answer outlives the one who gave it."""

from __future__ import annotations

import numpy as np
import pytest
from lines_of_play import random_lines
from numpy.typing import NDArray

from trainer.evaluators.interface import Evaluate
from trainer.games import ENV_IDS, game_of
from trainer.games.base import Mask, State
from trainer.games.kernels import link_kernels
from trainer.search import Search, SearchConfig
from trainer.search import cache as cache_kernels
from trainer.search.cache import MISSING, Cache, empty_cache

every_game = pytest.mark.parametrize("env_id", ENV_IDS)


def positions(env_id: str, games: int) -> State:
    """The unfinished positions of random games, each once, uint64 [number, S]."""
    states = [position.state for line in random_lines(env_id, games) for position in line.positions[:-1]]
    return np.unique(np.array(states), axis=0)


class Asked:
    """An evaluator that counts the positions it was shown; its answers are `shift` and what it sees."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift
        self.rows = 0

    def __call__(
        self, observation: NDArray[np.float32], legal: Mask
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.rows += len(legal)
        dice = np.random.default_rng(1).normal(size=(observation.shape[1], legal.shape[1] + 1))
        scores = np.sin((observation[:, :, None] * dice).sum(axis=1) + self.shift)
        prior = np.where(legal, np.exp(scores[:, 1:]), 0)
        prior /= np.maximum(prior.sum(axis=1, keepdims=True), 1e-9)
        return prior.astype(np.float32), scores[:, 0].astype(np.float32)


@every_game
@pytest.mark.parametrize("entries", [1, 2, 3, 100_000])
def test_a_search_finds_the_same_with_and_without_a_cache(env_id: str, entries: int) -> None:
    """To the last bit: with room for everything, and where each position drives another out."""
    states = positions(env_id, 2)[:24]
    plain, cached = Search(env_id, 8, 40), Search(env_id, 8, 40, SearchConfig(cache=entries))
    evaluate = Asked()
    visits, values = plain.run(states, 40, evaluate)
    for _ in range(2):
        again = cached.run(states, 40, evaluate)
        np.testing.assert_array_equal(again[0], visits)
        np.testing.assert_array_equal(again[1], values)


def test_what_was_answered_is_not_asked_again_unless_by_another() -> None:
    """The second search of a position asks nothing; another evaluator begins anew, and so does the first after it."""
    state = positions("connect4", 1)[:1]
    search = Search("connect4", 1, 50, SearchConfig(cache=100_000))
    one, other = Asked(), Asked(shift=1.0)

    def rows_of(evaluate: Asked) -> int:
        """How many positions the search had evaluated."""
        before = evaluate.rows
        search.run(state, 50, evaluate)
        return evaluate.rows - before

    first = rows_of(one)
    assert first > 30
    assert rows_of(one) == 0
    assert rows_of(other) > 30
    assert rows_of(one) == first


def test_answers_are_those_of_the_evaluator_at_hand() -> None:
    """A search that changes its evaluator finds each time what a new search would."""
    states = positions("othello", 1)[:8]
    search = Search("othello", 8, 30, SearchConfig(cache=100_000))
    evaluators: list[Evaluate] = [Asked(), Asked(shift=1.0)]
    for evaluate in (*evaluators, *evaluators):
        visits, values = search.run(states, 30, evaluate)
        expected = Search("othello", 8, 30).run(states, 30, evaluate)
        np.testing.assert_array_equal(visits, expected[0])
        np.testing.assert_array_equal(values, expected[1])


def test_a_cache_of_no_entries_asks_every_time() -> None:
    """The default: two searches, twice the questions."""
    state, evaluate = positions("tictactoe", 1)[:1], Asked()
    search = Search("tictactoe", 1, 20)
    search.run(state, 20, evaluate)
    once = evaluate.rows
    search.run(state, 20, evaluate)
    assert evaluate.rows == 2 * once


def stored(env_id: str, entries: int, states: State) -> Cache:
    """A cache into which each position was put in turn, with its row as every number of the answer."""
    kernels = link_kernels(env_id, cache_kernels).cache
    cache = empty_cache(game_of(env_id), entries)
    for row, state in enumerate(states):
        kernels.store(cache, state, np.full(game_of(env_id).num_actions, row, np.float32), np.float32(row))
    return cache


@every_game
def test_an_entry_is_found_by_the_whole_position_only(env_id: str) -> None:
    """All positions share the one place of a table of one: only the last is there, and a bit of any word counts."""
    states = positions(env_id, 3)
    kernels = link_kernels(env_id, cache_kernels).cache
    cache = stored(env_id, 1, states)
    assert [kernels.find(cache, state) for state in states] == [MISSING] * (len(states) - 1) + [0]
    assert cache.entries[0]["value"] == len(states) - 1
    assert (cache.entries[0]["prior"] == len(states) - 1).all()
    for word in (0, *range(2, states.shape[1])):
        for bit in range(1 if word else 0, 64 if word else 2):
            other = states[-1].copy()
            other[word] ^= np.uint64(1 << bit)
            assert kernels.find(cache, other) == MISSING


@every_game
def test_positions_are_spread_over_the_table(env_id: str) -> None:
    """As by chance: N positions in 4 N places fill about 4 N (1 - exp(-1/4)) of them."""
    states = positions(env_id, 40)
    kernels = link_kernels(env_id, cache_kernels).cache
    cache = empty_cache(game_of(env_id), 4 * len(states))
    places = {kernels.place(cache, state) for state in states}
    assert min(places) >= 0
    assert max(places) < 4 * len(states)
    assert len(places) > 0.95 * 4 * len(states) * (1 - np.exp(-0.25))


@every_game
def test_an_emptied_cache_knows_nothing(env_id: str) -> None:
    """Counting the generation up is enough; what is stored afterwards is found."""
    states = positions(env_id, 2)
    kernels = link_kernels(env_id, cache_kernels).cache
    cache = stored(env_id, 10_000, states)
    assert sum(kernels.find(cache, state) != MISSING for state in states) > 0.9 * len(states)
    cache.generation[0] += 1
    assert all(kernels.find(cache, state) == MISSING for state in states)
    kernels.store(cache, states[0], np.zeros(game_of(env_id).num_actions, np.float32), np.float32(0.5))
    assert cache.entries[kernels.find(cache, states[0])]["value"] == 0.5
