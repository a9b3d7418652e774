"""The perfect player, and search with perfect knowledge."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.positions import Positions
from trainer.games.solver import NOT_LEGAL, Solver, solver_of
from trainer.measure.exam import KINDS, Exam, exam_of, read_scored
from trainer.measure.match import play_match
from trainer.measure.quality import examine
from trainer.players import PerfectPlayer, RandomPlayer, SearchPlayer
from trainer.search import Search


@cache
def solver(env_id: str) -> Solver:
    """The solver of a game, made once."""
    if env_id == "connect4":
        pytest.importorskip("bitbully")
    return solver_of(env_id)


class PerfectEvaluator:
    """What search is given: the value for the mover by the solver, and a prior on the best moves, or on all."""

    def __init__(self, env_id: str, knows_moves: bool = True) -> None:
        self._knows_moves = knows_moves
        self._blank = Positions(env_id, 0)
        self._solver = solver(env_id)
        self._known: dict[bytes, tuple[NDArray[np.float32], np.float32]] = {}

    def __call__(self, observation: NDArray[np.float32], legal: NDArray[np.bool_]):
        answers = [self._of(row, mask) for row, mask in zip(observation, legal, strict=True)]
        return np.array([prior for prior, _ in answers], np.float32), np.array(
            [value for _, value in answers], np.float32
        )

    def _of(self, observation: NDArray[np.float32], legal: NDArray[np.bool_]):
        key = observation.tobytes()
        if key not in self._known:
            self._known[key] = self._solve(observation) if legal.any() else (legal.astype(np.float32), np.float32(0))
        return self._known[key]

    def _solve(self, observation: NDArray[np.float32]):
        game = self._blank.game
        state = np.zeros((1, game.state_words), np.uint64)
        state[0, 0] = 1 if observation[-2] else 2
        first, second = observation[: game.num_cells], observation[game.num_cells : 2 * game.num_cells]
        import_module(f"trainer.games.{game.env_id}.rules").from_cells((first + 2 * second).astype(np.uint8), state[0])
        scores = self._solver.scores(self._blank.of(state))[0]
        best = (scores == scores.max() if self._knows_moves else scores != NOT_LEGAL).astype(np.float32)
        return best / best.sum(), np.float32(np.sign(scores.max()))


def test_it_makes_no_error_in_any_position_of_tictactoe() -> None:
    """All 4,520: it keeps the value, wins as fast and loses as slowly as can be."""
    total = examine(exam_of("tictactoe"), PerfectPlayer(solver("tictactoe"))).total
    assert (total.positions, total.weak, total.strong) == (4520, 0, 0)


@pytest.mark.parametrize("seat", [FIRST, SECOND])
def test_it_loses_to_no_line_of_play_in_tictactoe(seat: int) -> None:
    """Every reply of the opponent to every move that it may choose: it never loses."""
    positions = Positions("tictactoe", 1)
    ends: list[int] = []
    while len(positions.states):
        rows, actions, after = positions.successors()
        if positions.mover[0] == seat:
            scores = solver("tictactoe").scores(positions)
            best = scores[rows, actions] == scores.max(axis=1)[rows]
            after = after.of(after.states[best])
        ends += after.winner[after.winner != OPEN].tolist()
        positions = after.of(np.unique(after.states[after.winner == OPEN], axis=0))
    assert set(ends) == {seat, DRAW}


def test_it_beats_random_play_and_never_loses() -> None:
    """400 games of tic-tac-toe from both seats: most are won, none lost."""
    match = play_match("tictactoe", PerfectPlayer(solver("tictactoe")), RandomPlayer(), 400, seed=0)
    assert match.loss_rate == 0
    assert match.win_rate > 0.85


def test_it_plays_connect4_as_bitbully_does() -> None:
    """Ten positions of each kind, handed to bitbully move by move: its move is one of the best ones there."""
    bitbully = pytest.importorskip("bitbully")
    lines, exam, agent = read_scored(), exam_of("connect4").every(100), bitbully.BitBully()
    chosen = PerfectPlayer(solver("connect4")).choose(exam.positions, [np.random.default_rng(0)] * len(exam.kind))
    assert len(chosen) == 10 * len(KINDS)
    for action, line in zip(chosen, lines[::100], strict=True):
        scores = agent.score_all_moves(bitbully.Board(line.moves))
        assert scores[int(action)] == max(scores.values()), line


def test_it_beats_random_play_in_connect4() -> None:
    """From the empty board against random play it wins every game, from either seat."""
    match = play_match("connect4", PerfectPlayer(solver("connect4")), RandomPlayer(), 6, seed=1)
    assert match.wins(FIRST) == 3
    assert match.wins(SECOND) == 3


@pytest.mark.parametrize(("simulations", "knows_moves"), [(1, True), (20, True), (100, True), (100, False)])
def test_search_with_perfect_knowledge_plays_perfectly(simulations: int, knows_moves: bool) -> None:
    """The sign of a value never turns on its way: with true values search loses nothing in all of tic-tac-toe.

    Also where the prior knows nothing, so that the values alone must lead it.
    """
    search = Search("tictactoe", 256, simulations)
    player = SearchPlayer("search", PerfectEvaluator("tictactoe", knows_moves), search, simulations)
    assert examine(exam_of("tictactoe"), player).total.weak == 0


def test_search_with_perfect_knowledge_plays_connect4_endgames_perfectly() -> None:
    """40 endgames of Connect 4, the same."""
    whole, part = exam_of("connect4"), slice(0, 1000, 25)
    exam = Exam(whole.positions.of(whole.positions.states[part]), whole.scores[part], KINDS[:1], whole.kind[part])
    search = Search("connect4", 40, 50)
    for knows_moves in (True, False):
        total = examine(exam, SearchPlayer("search", PerfectEvaluator("connect4", knows_moves), search, 50)).total
        assert (total.positions, total.weak) == (40, 0)
