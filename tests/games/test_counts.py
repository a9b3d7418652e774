"""Counts of games and positions from the literature, which wrong rules could hardly match."""

from __future__ import annotations

import numpy as np
import pytest
from line_counts import lines

from trainer.games.base import DRAW, FIRST, OPEN, SECOND, State
from trainer.games.positions import Positions


def next_positions(positions: Positions) -> State:
    """The distinct positions one ply later, uint64 [R, S]."""
    rows, actions = np.nonzero(positions.legal())
    after = positions.of(positions.states[rows])
    after.play(np.arange(len(rows)), actions)
    return np.unique(after.states, axis=0)


def test_tictactoe_has_as_many_games_as_were_counted() -> None:
    """255,168 games: the first player wins 131,184 of them, the second 77,904, and 46,080 are draws."""
    _, winners = lines("tictactoe", 9)
    assert winners[[FIRST, SECOND, DRAW]].tolist() == [131_184, 77_904, 46_080]
    assert winners.sum() == 255_168


def test_tictactoe_has_as_many_positions_as_were_counted() -> None:
    """5,478 positions can be reached, 4,520 of them unfinished."""
    positions = Positions("tictactoe", 1)
    found = unfinished = 0
    while len(positions.states):
        found += len(positions.states)
        unfinished += int((positions.winner == OPEN).sum())
        positions = positions.of(next_positions(positions))
    assert (found, unfinished) == (5_478, 4_520)


def test_connect4_has_as_many_positions_as_were_counted() -> None:
    """Distinct positions after 0 to 7 plies (OEIS A212693)."""
    positions = Positions("connect4", 1)
    found = []
    for _ in range(8):
        found.append(len(positions.states))
        positions = positions.of(next_positions(positions))
    assert found == [1, 7, 49, 238, 1_120, 4_263, 16_422, 54_859]


@pytest.mark.parametrize(
    ("depth", "counted"),
    [(1, 4), (2, 12), (3, 56), (4, 244), (5, 1_396), (6, 8_200), (7, 55_092), (8, 390_216)],
)
def test_othello_has_as_many_lines_of_play_as_were_counted(depth: int, counted: int) -> None:
    """Lines of 1 to 8 plies, passes included."""
    assert lines("othello", depth)[0] == counted
