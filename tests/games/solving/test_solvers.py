"""Solvers: the scores of moves agree with known values and with other ways to find them."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import paths
import piles
import pytest
from registering import game_with, registered, rules_in

from trainer.core.errors import ConfigError, GameError
from trainer.games import game_of, rules_of
from trainer.games.base import DRAW, OPEN
from trainer.games.connect4.solver import plies_to_end
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import ExhaustiveSolver, exhaustive_solver
from trainer.games.solving.scored_positions import positions_after
from trainer.games.solving.solver import NOT_LEGAL
from trainer.games.solving.solvers import is_small, solver_of

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


def test_a_position_that_no_game_leads_to_is_not_solved() -> None:
    """Two crosses and no nought, with X to move; one of each is a position like any other."""
    positions = Positions("tictactoe", 2)
    for row, cells in enumerate(([1, 2] + [0] * 7, [1, 1] + [0] * 7)):
        rules_of("tictactoe").from_cells(np.array(cells, np.uint8), positions.states[row])
    assert (tictactoe().scores(positions.of(positions.states[:1])) != N).sum() == 7
    with pytest.raises(GameError, match=r"^one of the positions can't be reached in a game of tictactoe, so it isn't"):
        tictactoe().scores(positions)


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


@pytest.mark.parametrize("size", [10, 200])
def test_a_game_with_extra_turns_is_solved(size: int) -> None:
    """The signs of all moves are those of the definition, and so are the lengths of games that aren't too long."""
    env_id = game_of(f"{piles.__file__}:size={size}").env_id
    solver = ExhaustiveSolver(env_id)
    assert len({(int(state[0]), int(state[2])) for state in solver.states}) == solver.count == len(solver.states)
    outcomes, plies = known_piles(size)
    for state, scores in zip(solver.states, solver.scores(Positions(env_id, 0).of(solver.states)), strict=True):
        for action in range(3):
            result, length = outcomes.get((int(state[2]), action)), plies.get((int(state[2]), action))
            assert (scores[action] == N) == (result is None)
            assert result is None or np.sign(scores[action]) == result
            others = [other for other in range(3) if outcomes.get((int(state[2]), other)) == result != 0]
            for other in others if size < 120 and result is not None else ():
                difference = (plies[int(state[2]), other] - (length or 0)) * (result or 0)
                assert scores[action] - scores[other] == difference


def known_piles(size: int) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """For each number of stones and action: 1, 0 or -1 for the player who moves, and in how many plies."""
    outcomes: dict[tuple[int, int], int] = {}
    plies: dict[tuple[int, int], int] = {}
    for stones in range(1, size + 1):
        for action in range(min(3, stones)):
            left = stones - action - 1
            if left == 0:
                outcomes[stones, action], plies[stones, action] = (0 if action == 2 else 1), 1
                continue
            replies = [(outcomes[left, a], plies[left, a]) for a in range(min(3, left))]
            best = max(result for result, _ in replies)
            lengths = [length for result, length in replies if result == best]
            outcomes[stones, action] = best if action == 2 else -best
            plies[stones, action] = 1 + (max(lengths) if best < 0 else min(lengths))
    return outcomes, plies


def test_a_history_that_decides_later_moves_is_not_left_out() -> None:
    """All positions are solved again from the plain rules, those that differ in their history alone each on its own."""
    env_id = registered(paths)
    solver = ExhaustiveSolver(env_id)
    found = reached(Position.first(rules_of(env_id)))
    key = game_of(env_id).deciding_words
    assert {state.tobytes() for state in solver.states} == {*found}
    assert solver.count == len(found) > len({position.state[:key].tobytes() for position in found.values()})
    for position in found.values():
        (scores,) = np.sign(solver.scores(Positions(env_id, 0).of(position.state[None])))
        assert {action: scores[action] for action in position.legal} == {
            action: worth_of(position, action) for action in position.legal
        }


def reached(first: Position) -> dict[bytes, Position]:
    """All unfinished positions that follow from one, and that one."""
    found, left = {}, [first]
    while left:
        position = left.pop()
        if position.winner == OPEN and position.state.tobytes() not in found:
            found[position.state.tobytes()] = position
            left += [position.play(action) for action in position.legal]
    return found


def worth_of(position: Position, action: int) -> int:
    """1 if a move wins for the player who makes it, -1 if it loses; in a game in which the last move wins."""
    after = position.play(action)
    return 1 if after.winner != OPEN else -max(worth_of(after, reply) for reply in after.legal)


def test_go_is_not_solved_because_its_histories_are_too_many() -> None:
    """A board's value depends on the boards before it (superko), of which even 2x2 has too many sequences."""
    env_id = game_of("go:size=2,half_komi=2").env_id
    assert not is_small(env_id)
    with pytest.raises(
        GameError, match="later moves depend on the history of a position and there are more than 1,000"
    ):
        ExhaustiveSolver(env_id, 1000)


def test_a_sample_has_different_positions_of_all_plies() -> None:
    """It is the same each time. 1,000 of 4,520 positions have no repetition, and the mean ply is that of all, 6.4."""
    sample, again = (ExhaustiveSolver("tictactoe", kept=1000).states for _ in range(2))
    assert np.array_equal(sample, again)
    assert len(np.unique(sample, axis=0)) == 1000
    plies = np.array([bin(int(a | b)).count("1") for a, b in sample[:, 2:]])
    every = np.array([bin(int(a | b)).count("1") for a, b in tictactoe().states[:, 2:]])
    assert abs(plies.mean() - every.mean()) < 0.15
    assert (np.diff(plies) <= 0).all()


@pytest.mark.parametrize(
    ("env_id", "play", "message"),
    [
        ("circle", "state[MOVER] = 3 - state[MOVER]", "circle can't be .* a position can come back in the same game"),
        ("walk", "state[2] += 1", "walk has games that are longer than its max_plies of 9"),
    ],
)
def test_a_game_that_can_t_be_solved_says_why(env_id: str, play: str, message: str, tmp_path: Path) -> None:
    """A walk in circles, and a game that is longer than it says."""
    path = tmp_path / f"{env_id}.py"
    path.write_text(
        "from trainer.games.base import MOVER, Game\n"
        f"GAME = Game(env_id='{env_id}', width=1, height=1, num_actions=2, max_plies=9)\n"
        f"def legal(state, mask):\n    mask[:] = True\ndef play(state, action):\n    {play}\n"
    )
    with pytest.raises(GameError, match=message):
        ExhaustiveSolver(registered(rules_in(path)))


def test_a_large_game_is_not_solved() -> None:
    """Connect 4 has more than a thousand positions."""
    with pytest.raises(
        GameError, match="connect4 can't be solved by visiting all positions, because there are more than 1,000"
    ):
        ExhaustiveSolver("connect4", 1000)


def test_a_missing_solver_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """bitbully is an optional extra. Without it, the error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "bitbully", None)
    solver_of.cache_clear()
    with pytest.raises(ConfigError, match=r"pip install 'bitbully>=0\.0\.70'"):
        solver_of("connect4")


def test_a_small_game_is_solved_once() -> None:
    """Whether it is small is asked first, and its solver is kept; a lower limit still refuses it."""
    assert is_small("tictactoe")
    solver = exhaustive_solver("tictactoe")
    assert exhaustive_solver("tictactoe", 500_000) is solver
    with pytest.raises(GameError, match="there are more than 4,519"):
        exhaustive_solver("tictactoe", 4519)


OWN_SOLVER = """
import numpy as np
from trainer.games.solving.solver import NOT_LEGAL


class Solver:
    def scores(self, positions):
        return np.where(positions.legal(), 1, NOT_LEGAL)


def solver(env_id):
    return Solver()
"""


@pytest.mark.parametrize("parameter", ["env_id", ""])
def test_a_game_of_ones_own_brings_its_solver(parameter: str, tmp_path: Path) -> None:
    """Solvers got no env_id at first; those still work."""
    name = game_with("solver.py", OWN_SOLVER.replace("solver(env_id)", f"solver({parameter})"), tmp_path)
    positions = Positions(name, 2)
    positions.play(np.array([1]), np.array([4]))
    assert solver_of(name).scores(positions).tolist() == [9 * [1], [1, 1, 1, 1, NOT_LEGAL, 1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("def solver", "def solved", r"solver\.py has no solver; define solver\(env_id\)"),
        (
            "def solver(env_id)",
            "solver = 3\n\n\ndef other()",
            r"solver in .*solver\.py is 3, of the type int; define solver",
        ),
        (
            "return Solver()",
            "return 7",
            r"solver\(\) in .*solver\.py returned 7, of the type int; it must return an object with a function scores",
        ),
        ("return Solver()", "return {}[env_id]", r"solver\.py, line 12: KeyError: "),
        (".legal()", ".lawful()", r"solver\.py, line 8: AttributeError: .*lawful"),
        (
            "np.where(positions.legal(), 1, NOT_LEGAL)",
            "np.zeros(3)",
            r"scores\(\) in .*solver\.py returned an array of the shape \(3,\); it must return one of the shape \(2, 9\)",
        ),
    ],
)
def test_a_wrong_solver_gets_one_sentence(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    """It names the file, and the line if it fails."""
    name = game_with("solver.py", OWN_SOLVER.replace(right, wrong), tmp_path)
    with pytest.raises(GameError, match=message):
        solver_of(name).scores(Positions(name, 2))
