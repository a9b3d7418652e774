"""Many positions at once, as somebody's program uses them."""

from __future__ import annotations

import numpy as np

from trainer.games.base import FIRST, OPEN
from trainer.games.positions import Positions


def test_movers_and_winners_are_numbers_of_their_own() -> None:
    """They can be negated, and later moves don't change them."""
    positions = Positions("tictactoe", 1)
    positions.replay(0, [0, 3, 1, 4])
    before = positions.mover, positions.winner
    positions.replay(0, [2])
    assert [part.tolist() for part in before] == [[FIRST], [OPEN]]
    assert positions.winner.tolist() == [FIRST]
    positions = Positions("tictactoe", 2)
    positions.play(np.array([1]), np.array([4]))
    assert (3 - 2 * positions.mover).tolist() == [1, -1]


def test_other_positions_are_copies() -> None:
    """Neither the object that made them nor the array that they were made of changes when they are played on."""
    positions = Positions("tictactoe", 2)
    states = positions.states.copy()
    others = positions.of(positions.states)
    others.play(np.arange(2), np.array([4, 0]))
    assert (positions.states == states).all()
    assert (others.states != states).any()
