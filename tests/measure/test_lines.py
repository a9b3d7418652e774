"""Every line of play, walked again by a plain recursion."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from trainer.games import rules_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solver import solver_of
from trainer.measure.lines import Lines, every_line
from trainer.players import PerfectPlayer


class FirstLegal:
    """Always the legal move with the smallest number."""

    name = "First legal"

    def choose(self, positions: Positions, generators) -> np.ndarray:
        """The first of the legal moves."""
        return positions.legal().argmax(axis=1)


def walk(position: Position, seat: int, ends: Counter) -> None:
    """Count how all lines end in which `seat` plays its first legal move."""
    if position.winner != OPEN:
        ends[position.winner] += 1
        return
    for action in position.legal[:1] if position.mover == seat else position.legal:
        walk(position.play(action), seat, ends)


@pytest.mark.parametrize("seat", [FIRST, SECOND])
def test_lines_are_those_of_a_plain_walk(seat: int) -> None:
    """The same numbers of won, drawn and lost lines."""
    ends: Counter = Counter()
    walk(Position.first(rules_of("tictactoe")), seat, ends)
    assert every_line("tictactoe", FirstLegal(), seat) == Lines(ends[seat], ends[DRAW], ends[3 - seat])
    assert ends[3 - seat] > 0


@pytest.mark.parametrize("seat", [FIRST, SECOND])
def test_perfect_play_loses_no_line(seat: int) -> None:
    """Whatever the other side tries."""
    assert every_line("tictactoe", PerfectPlayer(solver_of("tictactoe")), seat).lost == 0
