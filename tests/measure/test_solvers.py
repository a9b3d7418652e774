"""Solvers: every move's score, against values that are known or found another way."""

from __future__ import annotations

import sys
from functools import cache

import numpy as np
import pytest

from trainer.core.errors import ConfigError, GameError
from trainer.games import rules_of
from trainer.games.base import DRAW, OPEN
from trainer.games.connect4.solver import plies_to_end
from trainer.games.exhaustive import ExhaustiveSolver
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solver import NOT_LEGAL, solver_of
from trainer.measure.exam import positions_after

N = NOT_LEGAL


@cache
def tictactoe() -> ExhaustiveSolver:
    """The solver, made once."""
    return ExhaustiveSolver("tictactoe")


def negamax(position: Position, stones: int) -> int:
    """The score of a position for its mover, by the definition and the plain rules."""
    best = -100
    for action in position.legal:
        after = position.play(action)
        if after.winner == DRAW:
            worth = 0
        elif after.winner != OPEN:
            worth = 9 - stones  # empty cells left after the move, and one
        else:
            worth = -negamax(after, stones + 1)
        best = max(best, worth)
    return best


def test_tictactoe_has_4520_unfinished_positions() -> None:
    """All of them, each once."""
    states = tictactoe().states
    assert len(states) == len({state.tobytes() for state in states}) == 4520


def test_tictactoe_is_a_draw_and_a_corner_answers_the_centre() -> None:
    """From the empty board every move draws; after the centre only corners do."""
    scores = tictactoe().scores(positions_after("tictactoe", ["", "4", "0", "041"]))
    assert scores[0].tolist() == [0] * 9
    assert np.flatnonzero(scores[1] == 0).tolist() == [0, 2, 6, 8]
    assert np.flatnonzero(scores[2] == 0).tolist() == [4]
    assert np.flatnonzero(scores[3] == 0).tolist() == [2]  # everything but the block loses at once


def test_tictactoe_prefers_the_faster_win() -> None:
    """X holds 0, 1 and moves: cell 2 wins with the fifth stone, four cells empty: 5; a win with the seventh is 3."""
    scores = tictactoe().scores(positions_after("tictactoe", ["0314"]))[0]
    assert scores[2] == 5
    assert scores.max() == 5
    assert scores[[0, 1, 3, 4]].tolist() == [N] * 4


def test_tictactoe_agrees_with_plain_negamax() -> None:
    """Random positions from the third ply on, solved again by a few lines over the plain rules."""
    generator = np.random.default_rng(0)
    rules = rules_of("tictactoe")
    solver = tictactoe()
    open_cells = 9 - np.array([bin(int(a | b)).count("1") for a, b in solver.states[:, 2:]])
    for row in generator.choice(np.flatnonzero(open_cells <= 5), 40, replace=False):
        position = Position(rules, solver.states[row])
        found = solver.scores(Positions("tictactoe", 0).of(solver.states[row : row + 1])).max(axis=1)
        assert found[0] == negamax(position, 9 - int(open_cells[row])), str(position)


def test_connect4_scores_are_the_known_ones() -> None:
    """The first player wins with the last disc from the middle; bitbully's documentation gives these scores."""
    pytest.importorskip("bitbully")
    scores = solver_of("connect4").scores(positions_after("connect4", ["", "333333", "3434340"]))
    assert scores[0].tolist() == [-2, -1, 0, 1, 0, -1, -2]
    assert scores[1].tolist() == [-1, 0, 1, N, 1, 0, -1]
    assert scores[2, 4] == 18  # four in column 4, with the fourth disc
    assert (scores[2] < 0).sum() == 6


def test_connect4_positions_reach_bitbully_as_they_were_played() -> None:
    """A position handed over as bits and one played move by move get the same scores."""
    bitbully = pytest.importorskip("bitbully")
    generator = np.random.default_rng(1)
    positions, moves = Positions("connect4", 1), ""
    agent, solver = bitbully.BitBully(), solver_of("connect4")
    while len(moves) < 35 and positions.winner[0] == OPEN:
        if len(moves) > 16:
            expected = agent.score_all_moves(bitbully.Board(moves))
            found = {int(a): int(s) for a, s in enumerate(solver.scores(positions)[0]) if s != N}
            assert found == expected, moves
        action = int(generator.choice(np.flatnonzero(positions.legal()[0])))
        positions.replay(0, [action])
        moves += str(action)


def test_plies_to_end() -> None:
    """Score 1 on the empty board: the 21st disc of the first player, ply 41. Score 18 after 7 plies: the next ply."""
    scores = np.array(
        [[-2, -1, 0, 1, 0, -1, -2], [-17, -17, -17, -2, 18, -17, -17], [0, -3, -3, -3, -3, -3, -3]], np.int8
    )
    assert plies_to_end(scores, np.array([0, 7, 30])).tolist() == [41, 1, 12]
    # After 7 plies the second moves and loses to the first's fifth disc, ply 9.
    assert plies_to_end(np.full((1, 7), -17, np.int8), np.array([7])).tolist() == [2]


def test_a_game_without_a_solver_says_so() -> None:
    """Othello can't be solved here."""
    with pytest.raises(GameError, match="othello has no solver; the games that have one are tictactoe, connect4"):
        solver_of("othello")


def test_a_missing_solver_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """bitbully is an extra; without it there is one line, with the fix."""
    monkeypatch.setitem(sys.modules, "bitbully", None)
    with pytest.raises(ConfigError, match=r"pip install 'bitbully>=0\.0\.70'"):
        solver_of("connect4")
