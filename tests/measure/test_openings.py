"""Openings are different, unfinished, and as short as possible."""

from __future__ import annotations

import pytest

from trainer.core.errors import ConfigError
from trainer.games.base import OPEN
from trainer.games.positions import Positions
from trainer.measure import openings
from trainer.measure.openings import draw_openings


@pytest.mark.parametrize(("env_id", "count", "plies"), [("tictactoe", 50, 2), ("connect4", 50, 3), ("othello", 50, 3)])
def test_openings_lead_to_different_unfinished_positions(env_id: str, count: int, plies: int) -> None:
    """Connect 4 has 49 positions after two plies, one fewer than 50, and 238 after three."""
    drawn = draw_openings(env_id, 2 * count, seed=0)
    positions = Positions(env_id, count)
    for row, moves in enumerate(drawn):
        positions.replay(row, moves)
    assert {len(moves) for moves in drawn} == {plies}
    assert len({state.tobytes() for state in positions.states}) == count
    assert (positions.winner == OPEN).all()


def test_asking_for_as_many_openings_as_a_ply_has_gives_all_of_them() -> None:
    """98 games have 49 openings, and those of Connect 4 are the 49 pairs of columns."""
    pairs = [[first, second] for first in range(7) for second in range(7)]
    assert sorted(draw_openings("connect4", 2 * 49, seed=3)) == pairs


def test_the_seed_fixes_the_openings() -> None:
    """The same seed draws the same openings, and another seed draws others."""
    assert draw_openings("connect4", 40, seed=1) == draw_openings("connect4", 40, seed=1)
    assert draw_openings("connect4", 40, seed=1) != draw_openings("connect4", 40, seed=2)


def test_the_length_can_be_chosen() -> None:
    """0 plies give only the first position."""
    assert draw_openings("tictactoe", 10, seed=0, plies=0) == [[]]
    assert all(len(moves) == 4 for moves in draw_openings("othello", 10, seed=0, plies=4))


def test_a_game_with_too_few_positions_gives_those_of_its_fullest_ply() -> None:
    """Tic-tac-toe has at most 1,372 unfinished positions of one ply, those after six moves."""
    drawn = draw_openings("tictactoe", 5001, seed=0)
    assert len(drawn) == len({tuple(moves) for moves in drawn}) == 1372
    assert {len(moves) for moves in drawn} == {6}


def test_too_long_openings_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tic-tac-toe is over after nine plies. Connect 4 has more than 1,000 positions after four."""
    monkeypatch.setattr(openings, "MOST_POSITIONS", 1000)
    for env_id, plies in (("tictactoe", 9), ("connect4", 4)):
        with pytest.raises(ConfigError, match="choose a smaller number"):
            draw_openings(env_id, 5, seed=0, plies=plies)
