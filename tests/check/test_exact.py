"""The exact solution of small games, and the comparison with search."""

from __future__ import annotations

from pathlib import Path

from planting import SOURCES, planted

from trainer.check.bounds import bounds_checked
from trainer.check.checks.solved import check_solved, exact_moves, line_to
from trainer.check.exact import solve
from trainer.check.findings import Level
from trainer.check.subject import Subject


def test_tictactoe_has_its_4520_positions_and_is_a_draw() -> None:
    """Every unfinished position once: a position of tic-tac-toe belongs to one ply."""
    with bounds_checked():
        solution = solve(Subject("tictactoe"))
    assert solution is not None
    assert (solution.positions, solution.value) == (4_520, 0)
    assert set(exact_moves(solution, 0, 0).values()) == {0}


def test_a_large_game_is_not_solved() -> None:
    """It would take for ever."""
    with bounds_checked():
        assert solve(Subject("connect4")) is None


def test_values_follow_the_mover_through_extra_turns() -> None:
    """Pairs, by hand: after a first place of row 0 the reply that fills it owns the row and must open another one.

    Whoever opens the second row loses it, and the first two rows win: the player who moves second fills both.
    """
    with bounds_checked():
        subject = Subject(str(SOURCES["pairs"]))
        solution = solve(subject)
    assert solution is not None
    assert solution.value == -1
    for number, level in enumerate(solution.levels):
        for row in range(len(level.states)):
            moves = line_to(solution, number, row)
            assert subject.plain(moves).state.tolist() == level.states[row].tolist()


def test_search_that_believes_a_false_win_is_found(tmp_path: Path) -> None:
    """A `wins_next` that looks at the wrong player after an extra turn makes search prove what isn't so."""
    change = ("    if owned(state, state[MOVER]) == 0:", "    if owned(state, THREE - state[MOVER]) == 0:")
    with bounds_checked():
        subject = Subject(planted(tmp_path, "pairs", change, name="false_win"))
        solution = solve(subject)
    (finding,) = check_solved(subject, solution)
    assert finding.level is Level.FAILURE
    assert "Search comes to a wrong conclusion" in finding.text
    assert "wins_next, which search believes without looking" in finding.text
    assert finding.moves is not None
