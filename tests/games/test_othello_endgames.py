"""Endgames of Othello: the solver agrees with the definition and with known results, and the stored set is what it says."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from trainer.core.errors import ConfigError, GameError
from trainer.games import game_of, rules_of
from trainer.games.base import DRAW, MOVER, OPEN
from trainer.games.kernels import link_kernels
from trainer.games.othello import endgame_search
from trainer.games.othello.endgame import EndgameSolver, empty_cells
from trainer.games.othello.rules import PASS, STONES
from trainer.games.othello.scored_positions import KINDS, file_text, parse_line, read_endgames
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.scored_positions import scored_positions_of
from trainer.games.solving.solver import NOT_LEGAL
from trainer.measure.move_quality import measure_move_quality
from trainer.players import MinimaxPlayer, RandomPlayer


@cache
def solver() -> EndgameSolver:
    """The solver, made once."""
    return EndgameSolver()


def random_positions(count: int, empty: int, seed: int) -> Positions:
    """Unfinished positions with so many empty cells, after random play; a few less than `count`."""
    positions, generator = Positions("othello", count), np.random.default_rng(seed)
    while len(rows := np.flatnonzero((positions.winner == OPEN) & (empty_cells(positions) > empty))):
        chosen = RandomPlayer().choose(positions.of(positions.states[rows]), [generator] * len(rows))
        positions.play(rows, chosen)
    return positions.of(positions.states[positions.winner == OPEN])


def worth(position: Position) -> int:
    """The final difference in discs by the definition, from the plain rules: the winner also gets the empty cells."""
    if position.winner != OPEN:
        discs = Counter(position.cells.tolist())
        own, other = discs[position.mover], discs[3 - position.mover]
        empty = 0 if position.winner == DRAW else discs[0]
        return own - other + (empty if own > other else -empty)
    return max(worth_of_move(position, action) for action in position.legal)


def worth_of_move(position: Position, action: int) -> int:
    """What a move is worth for the player who makes it."""
    after = position.play(action)
    return worth(after) if after.mover == position.mover else -worth(after)


@pytest.mark.parametrize(("empty", "count"), [(1, 12), (3, 12), (5, 6), (6, 2)])
def test_scores_are_those_of_the_definition(empty: int, count: int) -> None:
    """Also where players must pass, and where the game ends with empty cells."""
    positions = random_positions(count, empty, seed=empty)
    scores = solver().scores(positions)
    for state, row in zip(positions.states, scores, strict=True):
        position = Position(rules_of("othello"), state)
        found = {action: int(row[action]) for action in np.flatnonzero(row != NOT_LEGAL).tolist()}
        assert found == {action: worth_of_move(position, action) for action in position.legal}, str(position)


def test_a_pass_and_a_wipeout() -> None:
    """White has one disc, in b8, and must pass. Black takes it from a8 and gets all 64 points, although a row is empty."""
    positions = Positions("othello", 1)
    positions.states[0, MOVER] = 2
    positions.states[0, STONES] = 0xFFFF_FFFF_FFFF_00FC
    positions.states[0, STONES + 1] = 0b10
    scores = solver().scores(positions)[0]
    assert {int(action): int(scores[action]) for action in np.flatnonzero(scores != NOT_LEGAL)} == {PASS: -64}


def test_the_best_score_is_kept_by_the_best_move() -> None:
    """With 10 empty cells, playing the best moves to the end gives the difference that the first score promised."""
    positions = random_positions(6, 10, seed=2)
    for state in positions.states:
        position = Position(rules_of("othello"), state)
        promised, seat = None, position.mover
        while position.winner == OPEN:
            scores = solver().scores(positions.of(position.state[None]))[0]
            found = int(scores.max()) * (1 if position.mover == seat else -1)
            assert promised in (None, found)
            promised = found
            position = position.play(int(scores.argmax()))
        assert worth(position) * (1 if position.mover == seat else -1) == promised


def test_a_known_endgame() -> None:
    """Position 40 of the French federation's endgame test, with 20 empty cells: Black plays a2 and wins by exactly 38."""
    kernels = link_kernels("othello", endgame_search).endgame_search
    text = "O--OOOOX-OOOOOOXOOXXOOOXOOXOOOXXOOOOOOXX---OOOOX----O--X--------"
    state = Position.first(rules_of("othello")).state.copy()
    for player, symbol in enumerate("XO"):
        state[STONES + player] = sum(1 << cell for cell, found in enumerate(text) if found == symbol)
    after = Position(rules_of("othello"), state).play(8)
    own, other = after.state[STONES + 1], after.state[STONES]
    assert after.mover == 2
    assert kernels.solve(endgame_search.empty_line(19), own, other, -39, -37) == -38


def test_too_many_empty_cells_are_refused() -> None:
    """The first position has 60."""
    with pytest.raises(
        GameError, match="a position of othello has 60 empty cells; only those with at most 16 are solved"
    ):
        solver().scores(Positions("othello", 1))


def test_the_stored_set_has_500_positions_of_each_kind() -> None:
    """With 12 empty cells each. Exactly the legal moves have scores, and they aren't all the same."""
    scored = scored_positions_of("othello")
    assert (scored.kinds, np.bincount(scored.kind).tolist()) == (KINDS, [500, 500])
    assert (scored.positions.winner == OPEN).all()
    assert (empty_cells(scored.positions) == 12).all()
    assert ((scored.scores != NOT_LEGAL) == scored.positions.legal()).all()
    lowest = np.where(scored.scores == NOT_LEGAL, 127, scored.scores).min(axis=1)
    assert (scored.scores.max(axis=1) > lowest).all()


def test_no_stored_position_repeats_even_turned_or_mirrored() -> None:
    """There are 500 different ones of each kind."""
    scored = scored_positions_of("othello")
    boards = scored.positions.stored()[:, :64]
    tables = [list(symmetry.cells) for symmetry in game_of("othello").symmetries]
    for kind in range(2):
        assert len({min(board[table].tobytes() for table in tables) for board in boards[scored.kind == kind]}) == 500


def test_the_solver_confirms_the_stored_scores() -> None:
    """Of 20 positions of each kind."""
    scored = scored_positions_of("othello").every(25)
    assert np.array_equal(solver().scores(scored.positions), scored.scores)


def test_the_file_is_written_as_it_is_read() -> None:
    """Without its comments."""
    endgames = read_endgames()
    assert len(endgames) == 1000
    assert [parse_line(line) for line in file_text(["made"], endgames).splitlines()[1:]] == endgames


def test_minimax_errs_less_than_random_play() -> None:
    """The counts of minimax are deterministic."""
    scored = scored_positions_of("othello").every(10)
    minimax = measure_move_quality(scored, MinimaxPlayer("othello")).total
    assert 0 < minimax.weak < measure_move_quality(scored, RandomPlayer()).total.weak
    assert minimax.weak <= minimax.strong


def test_another_file_is_refused(tmp_path) -> None:
    """There is no command that makes one."""
    with pytest.raises(ConfigError, match="othello is measured on a stored set of positions"):
        scored_positions_of("othello", tmp_path / "set.csv")
