"""The perfect player, and search with perfect knowledge."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.games import rules_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.connect4.scored_positions import KINDS, read_lines
from trainer.games.positions import Positions
from trainer.games.solving.scored_positions import scored_positions_of
from trainer.games.solving.solver import NOT_LEGAL, Solver
from trainer.games.solving.solvers import solver_of
from trainer.measure.match import play_match
from trainer.measure.move_quality import measure_move_quality
from trainer.players import PerfectPlayer, RandomPlayer, SearchPlayer
from trainer.search import Search


@cache
def solver(env_id: str) -> Solver:
    """The solver of a game, made once."""
    if env_id == "connect4":
        pytest.importorskip("bitbully")
    return solver_of(env_id)


class PerfectEvaluator:
    """Evaluates by the solver: the value for the mover, and a uniform prior over the best moves or over all legal ones."""

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
        rules_of(game.env_id).from_cells((first + 2 * second).astype(np.uint8), state[0])
        scores = self._solver.scores(self._blank.of(state))[0]
        best = (scores == scores.max() if self._knows_moves else scores != NOT_LEGAL).astype(np.float32)
        return best / best.sum(), np.float32(np.sign(scores.max()))


def test_it_makes_no_error_in_any_position_of_tictactoe() -> None:
    """In all 4,520 it keeps the value, wins as fast as possible and loses as slowly as possible."""
    total = measure_move_quality(scored_positions_of("tictactoe"), PerfectPlayer(solver("tictactoe"))).total
    assert (total.positions, total.weak, total.strong) == (4520, 0, 0)


@pytest.mark.parametrize("seat", [FIRST, SECOND])
def test_it_loses_to_no_line_of_play_in_tictactoe(seat: int) -> None:
    """It loses no line, whichever of its best moves it chooses and whatever the opponent replies."""
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
    """Of 400 games of tic-tac-toe from both seats it wins most and loses none."""
    match = play_match("tictactoe", PerfectPlayer(solver("tictactoe")), RandomPlayer(), 400, seed=0)
    assert match.loss_rate == 0
    assert match.win_rate > 0.85


def test_it_plays_connect4_as_bitbully_does() -> None:
    """In ten positions of each kind, its move is among the best according to bitbully, which gets the moves played."""
    bitbully = pytest.importorskip("bitbully")
    lines, scored, agent = read_lines(), scored_positions_of("connect4").every(100), bitbully.BitBully()
    chosen = PerfectPlayer(solver("connect4")).choose(scored.positions, [np.random.default_rng(0)] * len(scored))
    assert len(chosen) == 10 * len(KINDS)
    for action, line in zip(chosen, lines[::100], strict=True):
        scores = agent.score_all_moves(bitbully.Board(line.moves))
        assert scores[int(action)] == max(scores.values()), line


def test_it_beats_random_play_in_connect4() -> None:
    """It wins every game from the empty board, from either seat."""
    match = play_match("connect4", PerfectPlayer(solver("connect4")), RandomPlayer(), 6, seed=1)
    assert match.wins(FIRST) == 3
    assert match.wins(SECOND) == 3


@pytest.mark.parametrize("simulations", [1, 20, 100])
def test_search_with_perfect_knowledge_plays_perfectly(simulations: int) -> None:
    """Search with true values makes no weak error in any position of tic-tac-toe, so no value has the wrong sign."""
    search = Search("tictactoe", 256, simulations)
    player = SearchPlayer("search", PerfectEvaluator("tictactoe"), search, simulations)
    assert measure_move_quality(scored_positions_of("tictactoe"), player).total.weak == 0


def test_search_with_perfect_knowledge_plays_connect4_endgames_perfectly() -> None:
    """It makes no weak error in 40 easy endgames of Connect 4."""
    scored = scored_positions_of("connect4").select(slice(0, 1000, 25))
    assert {KINDS[kind] for kind in scored.kind} == {"end-easy"}
    search = Search("connect4", 40, 50)
    for knows_moves in (True, False):
        player = SearchPlayer("search", PerfectEvaluator("connect4", knows_moves), search, 50)
        total = measure_move_quality(scored, player).total
        assert (total.positions, total.weak) == (40, 0)
