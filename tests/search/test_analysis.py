"""What is found out about single positions, alone or side by side."""

from __future__ import annotations

import numpy as np
import pytest
from kinds import every_kind
from lines_of_play import play_line, some_positions
from numpy.typing import NDArray
from predictable import arbitrary

from trainer.evaluators.uniform import uniform
from trainer.games import rules_of
from trainer.games.base import Mask
from trainer.games.position import Position
from trainer.search import Search
from trainer.search.analysis import all_analysed, analysed


def centred(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of tic-tac-toe: the centre is thrice as likely as another cell, and every position is worth 0.5 to its mover."""
    weights = np.where(legal, np.array([1, 1, 1, 1, 3, 1, 1, 1, 1]), 0)
    prior = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return prior.astype(np.float32), np.full(len(legal), 0.5, np.float32)


@every_kind
@pytest.mark.parametrize("simulations", [0, 40])
def test_positions_are_analysed_side_by_side_as_alone(env_id: str, simulations: int) -> None:
    """In parts of three slots, the last of which isn't full: the same to the last bit."""
    rules = rules_of(env_id)
    positions = [Position(rules, state) for state in some_positions(env_id, 8)]
    alone = Search(env_id, 1, 40)
    found = all_analysed(Search(env_id, 3, 40), positions, simulations, arbitrary)
    assert found == [analysed(alone, position, simulations, arbitrary) for position in positions]
    assert [len(one.moves) for one in found] == [len(position.legal) for position in positions]


def test_without_simulations_it_is_what_the_network_says() -> None:
    """The prior is the share, nothing is visited, and the line is the best move alone."""
    search = Search("tictactoe", 1, 10)
    found = analysed(search, Position.first(rules_of("tictactoe")), 0, centred)
    assert (found.mover, found.value, found.raw_value, found.best, found.line) == (1, 0.5, 0.5, 4, (4,))
    assert [move.share for move in found.moves] == [move.prior for move in found.moves]
    assert [(move.visits, move.value, move.proven) for move in found.moves] == [(0, None, None)] * 9


def test_a_search_says_more_than_the_network() -> None:
    """O can't stop both threats of X: the value is exact, the network's own isn't."""
    position = play_line(rules_of("tictactoe"), [0, 1, 4, 8, 3]).positions[-1]
    (found,) = all_analysed(Search("tictactoe", 1, 400), [position], 400, centred)
    assert (found.mover, found.value, found.raw_value) == (2, -1, 0.5)
    assert {move.proven for move in found.moves} == {"loss"}
    assert found.line[0] == found.best


def test_a_line_is_as_long_as_is_asked_for() -> None:
    """The first moves of the long one."""
    search, first = Search("connect4", 1, 400), Position.first(rules_of("connect4"))
    (long,) = all_analysed(search, [first], 400, uniform)
    (short,) = all_analysed(search, [first], 400, uniform, most=2)
    assert len(long.line) > 2
    assert short.line == long.line[:2]
    assert all_analysed(search, [], 400, uniform) == []
