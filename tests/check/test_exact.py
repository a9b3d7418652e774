"""The exact solution of small games, and the comparison with search."""

from __future__ import annotations

from pathlib import Path

import pytest
from planting import SOURCES, planted

from trainer.check import exact
from trainer.check.bounds import bounds_checked
from trainer.check.checks.solved import check_solved, exact_moves
from trainer.check.exact import line_to, solve
from trainer.check.findings import Level
from trainer.check.subject import Subject
from trainer.games.base import Mask, State


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


def test_a_game_of_large_positions_is_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """If those after all moves of a ply would take too much memory: the second ply of tic-tac-toe has 72 moves."""
    with bounds_checked():
        subject = Subject("tictactoe")
        monkeypatch.setattr(exact, "MOST_WORDS_PER_PLY", 71 * subject.game.state_words)
        assert solve(subject) is None


@pytest.mark.parametrize(("limit", "value"), [("MOST_POSITIONS", 81), ("MOST_PLACES_PER_PLY", 72 * 9 - 1)])
def test_of_too_many_positions_no_moves_are_listed(limit: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask for each of them could fill the memory: here the plies before the third have 1 + 9 positions, and it has 72."""
    asked = []
    with bounds_checked():
        subject = Subject("tictactoe")
        legal = subject.legal

        def counted(states: State) -> Mask:
            asked.append(len(states))
            return legal(states)

        monkeypatch.setattr(subject, "legal", counted)
        monkeypatch.setattr(exact, limit, value)
        assert solve(subject) is None
    assert asked == [1, 9]


def test_values_follow_the_mover_through_extra_turns() -> None:
    """Pairs, by hand: after a first place of row 0 the reply that fills it owns the row and must open another one.

    Whoever opens the second row loses it, and the first two rows win: the player who moves second fills both.
    """
    with bounds_checked():
        subject = Subject(str(SOURCES["pairs"]))
        solution = solve(subject)
    assert solution is not None
    assert solution.value == -1
    for number, ply in enumerate(solution.plies):
        for row in range(len(ply.states)):
            moves = line_to(solution.plies, number, row)
            assert subject.plain(moves).state.tolist() == ply.states[row].tolist()


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


@pytest.mark.parametrize("game", ["pairs", "tictactoe"])
def test_what_search_proves_by_looking_ahead_is_true(game: str, tmp_path: Path) -> None:
    """`forced_wins` with turns of several moves, and with draws: nothing that search proves contradicts the solution."""
    limit = {"pairs": "max_plies=6,", "tictactoe": "max_plies=9,"}[game]
    with bounds_checked():
        subject = Subject(planted(tmp_path, game, (limit, f"{limit} forced_wins=True,"), name="ahead"))
        assert subject.game.forced_wins
        assert check_solved(subject, solve(subject)) == []


def test_a_position_without_a_move_that_random_games_miss_is_found(tmp_path: Path) -> None:
    """The exact walk comes to every position: it says so with the moves, instead of solving a game that isn't one."""
    stuck = "    for action in range(6):\n        mask[action] = state[WINNER] == OPEN and state[place(action)] == 0\n"
    none = (
        stuck
        + "    if state[place(1)] == 2 and state[place(3)] == 2 and state[place(0)] == 0 and state[place(2)] == 1:\n"
    )
    none += "        mask[:] = False\n"
    with bounds_checked():
        subject = Subject(planted(tmp_path, "pairs", (stuck, none), name="stuck"))
        finding = solve(subject)
    assert finding.level is Level.FAILURE
    assert "The game is open, but player" in finding.text
    position = subject.plain(finding.moves)
    assert (position.winner, position.legal) == (0, [])


def test_a_line_that_is_longer_than_promised_is_found(tmp_path: Path) -> None:
    """Pairs can last six moves. Five are promised; the walk says which line is longer."""
    with bounds_checked():
        subject = Subject(planted(tmp_path, "pairs", ("max_plies=6", "max_plies=5"), name="longer"))
        finding = solve(subject)
    assert "The game isn't over after 5 moves, although GAME promises max_plies=5" in finding.text
    assert len(finding.moves) == 5
    assert subject.plain(finding.moves).winner == 0
