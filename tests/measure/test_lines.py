"""Every line of play, counted again by a plain recursion."""

from __future__ import annotations

from collections import Counter

import piles
import pytest
from predictable import FirstLegal

from trainer.games import ENV_IDS, rules_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.position import Position
from trainer.games.solving.solvers import solver_of
from trainer.measure.lines import Lines, every_line, has_few_lines
from trainer.players import PerfectPlayer


def walk(position: Position, seat: int, ends: Counter) -> None:
    """Count the results of all lines in which `seat` plays its first legal move."""
    if position.winner != OPEN:
        ends[position.winner] += 1
        return
    for action in position.legal[:1] if position.mover == seat else position.legal:
        walk(position.play(action), seat, ends)


@pytest.mark.parametrize("seat", [FIRST, SECOND])
@pytest.mark.parametrize("name", ["tictactoe", piles.__file__])
def test_the_counts_are_those_of_a_plain_recursion(name: str, seat: int) -> None:
    """Both find the same numbers of won, drawn and lost lines, also if players move several times in a row."""
    ends: Counter = Counter()
    walk(Position.first(rules_of(name)), seat, ends)
    assert every_line(name, FirstLegal(), seat) == Lines(ends[seat], ends[DRAW], ends[3 - seat])
    assert ends[3 - seat] > 0


@pytest.mark.parametrize("seat", [FIRST, SECOND])
def test_perfect_play_loses_no_line(seat: int) -> None:
    """The perfect player never loses, whatever the other side tries."""
    assert every_line("tictactoe", PerfectPlayer(solver_of("tictactoe")), seat).lost == 0


def test_only_tictactoe_has_few_lines() -> None:
    """Nine actions and five moves of the opponent are at most 59,049 lines; the other games have far more."""
    assert [env_id for env_id in ENV_IDS if has_few_lines(env_id)] == ["tictactoe"]
