"""The solver of dots and boxes, and the positions that are drawn with its help."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.core.errors import GameError
from trainer.games.base import FIRST, OPEN, SECOND
from trainer.games.positions import Positions
from trainer.games.solving import solvers
from trainer.games.solving.exhaustive import exhaustive_solver
from trainer.games.solving.scored_positions import has_scored_positions, sampled_positions, scored_positions_of
from trainer.games.solving.solver import NOT_LEGAL
from trainer.games.solving.solvers import solver_of
from trainer.measure.evaluation import result_with_best_play
from trainer.measure.match import play_match
from trainer.players import RandomPlayer
from trainer.players.perfect import PerfectPlayer


@pytest.mark.parametrize(
    ("env_id", "lead"),
    [("dots:columns=1,rows=1", -1), ("dots:columns=2,rows=1", 0), ("dots:columns=2,rows=2", 2), ("dots", -3)],
)
def test_boards_end_as_is_known(env_id: str, lead: int) -> None:
    """The second player gets a single box, two are shared, the first gets 3 of 2x2, and the second 6 of 3x3 (Wilson)."""
    assert solver_of(env_id).scores(Positions(env_id, 1)).max() == lead


@pytest.mark.parametrize("env_id", ["dots:columns=2,rows=2", "dots:columns=3,rows=1", "dots:columns=1,rows=3"])
def test_visiting_all_positions_gives_the_same_results(env_id: str) -> None:
    """Each move wins, draws or loses as the solver for any small game says."""
    visited = exhaustive_solver(env_id)
    positions = Positions(env_id, 0).of(visited.states)
    expected, found = visited.scores(positions), solver_of(env_id).scores(positions)
    assert ((found == NOT_LEGAL) == (expected == NOT_LEGAL)).all()
    assert (np.sign(found) == np.sign(expected)).all()


@pytest.mark.parametrize("env_id", ["dots", "dots:columns=2", "dots:columns=4,rows=2"])
def test_a_score_is_the_lead_at_the_end(env_id: str) -> None:
    """It is that of the best answer, of the final boxes if the game is over, and the sign changes with the mover."""
    generator, positions, own = np.random.default_rng(0), Positions(env_id, 30), solver_of(env_id)
    rows, finished = np.arange(30), 0
    while len(rows):
        here = positions.of(positions.states[rows])
        of, actions, after = here.successors()
        scores = own.scores(here)[of, actions]
        over = after.winner != OPEN
        lead = np.where(over, leads(after), own.scores(after).max(axis=1) * np.where(after.mover == 1, 1, -1))
        assert (scores == lead * np.where(here.mover[of] == 1, 1, -1)).all()
        finished += int(over.sum())
        positions.play(rows, (generator.random(here.legal().shape) * here.legal()).argmax(axis=1))
        rows = rows[positions.winner[rows] == OPEN]
    assert finished == 30  # the last edge of each game


def leads(positions: Positions) -> np.ndarray:
    """[R] how many boxes the first player has more than the second, as the stored boards show them."""
    game = positions.game
    boards = positions.stored()[:, : game.num_cells].reshape(-1, game.height, game.width)[:, 1::2, 1::2]
    found: np.ndarray = (boards == 1).sum(axis=(1, 2)) - (boards == 2).sum(axis=(1, 2))
    return found


def test_nobody_beats_the_perfect_player_on_the_default_board() -> None:
    """It wins all games as second player, which the board is won for."""
    match = play_match("dots", RandomPlayer(), PerfectPlayer(solver_of("dots")), 40, seed=0)
    assert int((match.winners[match.seats == FIRST] == SECOND).sum()) == 20
    assert result_with_best_play("dots") == "With best play from the first position Blue wins."


def test_larger_boards_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the limit, and no time is spent on visiting positions."""
    monkeypatch.setattr(solvers, "exhaustive_solver", lambda *_: pytest.fail("positions are visited"))
    expected = "dots:columns=4 has 31 edges; only boards with at most 24 are solved, such as 3 x 3 boxes"
    for call in (solver_of, scored_positions_of):
        with pytest.raises(GameError, match=expected):
            call("dots:columns=4")
    assert not has_scored_positions("dots:columns=4")


def test_positions_come_from_games_with_good_and_random_moves() -> None:
    """5,000 different ones of three kinds, in each of which some move is worse than another; they are the same each time."""
    scored = scored_positions_of("dots")
    assert has_scored_positions("dots")
    assert scored.kinds == ("first third", "second third", "last third")
    assert len(scored) == len(np.unique(scored.positions.states, axis=0)) == 5_000
    assert (np.bincount(scored.kind) > 1_000).all()
    legal = scored.positions.legal()
    assert ((scored.scores != NOT_LEGAL) == legal).all()
    assert (scored.scores.max(axis=1) > np.where(legal, scored.scores, 127).min(axis=1)).all()
    assert (scored.scores == solver_of("dots").scores(scored.positions)).all()
    again = sampled_positions("dots", solver_of("dots"))
    assert (again.positions.states == scored.positions.states).all()
    drawn = (scored.positions.stored()[:, : scored.positions.game.num_cells] == 3).sum(axis=1)
    assert (scored.kind == drawn * 3 // 24).all()


def test_a_small_board_keeps_its_visited_positions() -> None:
    """All or a sample of all positions, as of any small game."""
    assert scored_positions_of("dots:columns=2,rows=2").kinds[0].startswith("sample of ")
