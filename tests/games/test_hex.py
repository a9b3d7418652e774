"""Hex: what is known about small boards, a second opinion, and who is connected with what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lines_of_play import Line, play_line, random_lines
from side_by_side import agree_on_random_games

from trainer.games import rules_of
from trainer.games.base import FIRST, SECOND
from trainer.games.kernels import link_kernels
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import ExhaustiveSolver

SIZES = (2, 3, 7, 8, 12)
"""Boards of one word and of three; 8x8 fills its word."""

every_size = pytest.mark.parametrize("size", SIZES)


def lines(size: int) -> list[Line]:
    """Random games, more of them on small boards."""
    return random_lines(f"hex:size={size}", 1 + 50 // size)


def drawn(state: Any) -> list[int]:
    """The board of OpenSpiel, which has other letters for stones that are connected with a side."""
    codes = dict.fromkeys("xyzX", 1) | dict.fromkeys("opqO", 2) | {".": 0}
    return [codes[cell] for cell in str(state).split()]


@pytest.mark.parametrize(("size", "games"), [(7, 200), (7, 1_000), (2, 20), (8, 100), (12, 50)])
def test_openspiel_agrees_on_random_games(size: int, games: int) -> None:
    """The same legal moves, mover and board at each ply, the same end and the same result."""
    agree_on_random_games(f"hex:size={size}", f"hex(board_size={size})", drawn, games)


@pytest.mark.parametrize(("size", "wins"), [(2, [1, 2]), (3, [2, 3, 4, 5, 6])])
def test_the_first_player_wins_by_the_known_first_moves(size: int, wins: list[int]) -> None:
    """By no others. On 3x3 the answer would differ if the first player connected the left with the right."""
    env_id = f"hex:size={size}"
    scores = ExhaustiveSolver(env_id).scores(Positions(env_id, 1))[0]
    assert np.flatnonzero(scores > 0).tolist() == wins
    assert (scores != 0).all()


def test_the_first_player_connects_the_top_with_the_bottom() -> None:
    """The second connects the left side with the right. A cell has no neighbour above it to the left."""
    for actions, winner in (
        ([1, 0, 4, 3, 7], FIRST),
        ([2, 0, 4, 1, 6], FIRST),  # below and to the left
        ([0, 3, 1, 4, 8, 5], SECOND),
        ([0, 6, 1, 4, 8, 2], SECOND),
    ):
        line = play_line(rules_of("hex:size=3"), actions)
        assert [position.winner for position in line.positions] == [0] * len(actions) + [winner]
    assert play_line(rules_of("hex:size=3"), [0, 2, 4, 5, 8]).positions[-1].winner == 0


@every_size
def test_wins_next_is_right_in_every_position(size: int) -> None:
    """Plain and compiled: it says that a move wins exactly if one does."""
    env_id, seen = f"hex:size={size}", 0
    fast = link_kernels(env_id).rules
    for rules in (rules_of(env_id), fast):
        for line in lines(size):
            for position in line.positions[:-1]:
                mask = np.zeros(size * size, np.bool_)
                mask[position.legal] = True
                compiled = Position(fast, position.state)
                won = [action for action in position.legal if compiled.play(action).winner == position.mover]
                assert rules.wins_next(position.state, mask) == bool(won), f"{position}"
                mask[won] = False
                assert not rules.wins_next(position.state, mask), f"{position}"
                seen += bool(won)
    assert seen > 1


@every_size
def test_a_position_from_its_cells_equals_the_one_that_was_played(size: int) -> None:
    """Plain and compiled, to the last word: which stones are connected with a side doesn't depend on the order of play."""
    env_id = f"hex:size={size}"
    for rules in (rules_of(env_id), link_kernels(env_id).rules):
        for position in lines(size)[0].positions:
            state = np.zeros_like(position.state)
            state[:2] = position.state[:2]
            rules.from_cells(position.cells, state)
            assert state.tolist() == position.state.tolist()


def test_moves_are_named_by_column_and_row_from_the_top() -> None:
    """As is usual in Hex."""
    first = Position.first(rules_of("hex"))
    assert [first.name(action) for action in (0, 1, 7, 48)] == ["a1", "b1", "a2", "g7"]
