"""Solvers: the scores of moves agree with known values and with other ways to find them."""

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
from trainer.games.scored_positions import positions_after
from trainer.games.solver import NOT_LEGAL, solver_of

N = NOT_LEGAL


@cache
def tictactoe() -> ExhaustiveSolver:
    """The solver, made once."""
    return ExhaustiveSolver("tictactoe")


def negamax(position: Position, stones: int) -> int:
    """The score of a position for its mover, computed by the definition from the plain rules."""
    best = -100
    for action in position.legal:
        after = position.play(action)
        if after.winner == DRAW:
            worth = 0
        elif after.winner != OPEN:
            worth = 9 - stones  # one more than the empty cells after the move
        else:
            worth = -negamax(after, stones + 1)
        best = max(best, worth)
    return best


def test_tictactoe_has_4520_unfinished_positions() -> None:
    """Each position occurs once."""
    states = tictactoe().states
    assert len(states) == len({state.tobytes() for state in states}) == 4520


def test_tictactoe_is_a_draw_and_a_corner_answers_the_centre() -> None:
    """On the empty board every move draws. After the centre only the corners do."""
    scores = tictactoe().scores(positions_after("tictactoe", ["", "4", "0", "041"]))
    assert scores[0].tolist() == [0] * 9
    assert np.flatnonzero(scores[1] == 0).tolist() == [0, 2, 6, 8]
    assert np.flatnonzero(scores[2] == 0).tolist() == [4]
    assert np.flatnonzero(scores[3] == 0).tolist() == [2]  # every other move loses at once


def test_tictactoe_prefers_the_faster_win() -> None:
    """X holds 0 and 1: cell 2 wins with the fifth stone and leaves four cells empty, so its score is 5."""
    scores = tictactoe().scores(positions_after("tictactoe", ["0314"]))[0]
    assert scores[2] == 5
    assert scores.max() == 5
    assert scores[[0, 1, 3, 4]].tolist() == [N] * 4


def test_tictactoe_agrees_with_plain_negamax() -> None:
    """40 random positions with at most five empty cells are solved again from the plain rules."""
    generator = np.random.default_rng(0)
    rules = rules_of("tictactoe")
    solver = tictactoe()
    open_cells = 9 - np.array([bin(int(a | b)).count("1") for a, b in solver.states[:, 2:]])
    for row in generator.choice(np.flatnonzero(open_cells <= 5), 40, replace=False):
        position = Position(rules, solver.states[row])
        found = solver.scores(Positions("tictactoe", 0).of(solver.states[row : row + 1])).max(axis=1)
        assert found[0] == negamax(position, 9 - int(open_cells[row])), str(position)


def test_connect4_scores_are_the_known_ones() -> None:
    """The first player wins from the middle column with its last disc. The scores are from bitbully's documentation."""
    pytest.importorskip("bitbully")
    scores = solver_of("connect4").scores(positions_after("connect4", ["", "333333", "3434340"]))
    assert scores[0].tolist() == [-2, -1, 0, 1, 0, -1, -2]
    assert scores[1].tolist() == [-1, 0, 1, N, 1, 0, -1]
    assert scores[2, 4] == 18  # four in column 4, with the fourth disc
    assert (scores[2] < 0).sum() == 6


def test_bitbully_gets_the_positions_that_were_played() -> None:
    """A position gets the same scores whether it is given as bits or move by move."""
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
    """Score 1 on the empty board is a win with the first player's 21st disc, ply 41. Score 18 after 7 plies wins at once."""
    scores = np.array(
        [[-2, -1, 0, 1, 0, -1, -2], [-17, -17, -17, -2, 18, -17, -17], [0, -3, -3, -3, -3, -3, -3]], np.int8
    )
    assert plies_to_end(scores, np.array([0, 7, 30])).tolist() == [41, 1, 12]
    # After 7 plies the second player is to move, and loses to the first player's fifth disc, ply 9.
    assert plies_to_end(np.full((1, 7), -17, np.int8), np.array([7])).tolist() == [2]


def test_a_game_without_a_solver_says_so() -> None:
    """Othello has no solver."""
    with pytest.raises(GameError, match="othello has no solver; the games that have one are tictactoe, connect4"):
        solver_of("othello")


def test_a_missing_solver_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """bitbully is an optional extra. Without it, the error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "bitbully", None)
    with pytest.raises(ConfigError, match=r"pip install 'bitbully>=0\.0\.70'"):
        solver_of("connect4")
