"""Dots and boxes: what is known about small boards, a second opinion, moving again, and what the network sees."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from lines_of_play import play_line
from numpy.typing import NDArray
from side_by_side import agree_on_random_games

from trainer.games import game_of, rules_of
from trainer.games.base import Mask
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import ExhaustiveSolver
from trainer.search import Search


def name(rows: int, columns: int) -> str:
    """The game on a board of rows x columns boxes."""
    return f"dots:rows={rows},columns={columns}"


@cache
def solved(rows: int, columns: int) -> ExhaustiveSolver:
    """The solver of a small board."""
    return ExhaustiveSolver(name(rows, columns))


def uniform(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A guess that knows nothing."""
    return (legal / legal.sum(axis=1, keepdims=True)).astype(np.float32), np.zeros(len(legal), np.float32)


def drawn(state: Any) -> list[int]:
    """The board of OpenSpiel: our columns are two characters apart, and lines have several characters."""
    codes = {" ": 0, "1": 1, "2": 2, "─": 3, "│": 3}
    grid = str(state).splitlines()
    return [
        codes[line[2 * column]] if row % 2 or column % 2 else 0
        for row, line in enumerate(grid)
        for column in range((len(line) + 1) // 2)
    ]


@pytest.mark.parametrize(
    ("rows", "columns", "games"), [(3, 3, 200), (3, 3, 1_000), (1, 1, 20), (2, 4, 200), (7, 5, 50)]
)
def test_openspiel_agrees_on_random_games(rows: int, columns: int, games: int) -> None:
    """The same legal moves, mover and board at each ply, the same end and the same result."""
    agree_on_random_games(name(rows, columns), f"dots_and_boxes(num_rows={rows},num_cols={columns})", drawn, games)


@pytest.mark.parametrize(("rows", "columns", "result"), [(1, 1, -1), (1, 2, 0), (2, 1, 0), (2, 2, 1)])
def test_small_boards_end_as_is_known(rows: int, columns: int, result: int) -> None:
    """A single box is the second player's, two in a row are shared, and on 2x2 the first player wins."""
    assert np.sign(solved(rows, columns).scores(Positions(name(rows, columns), 1)).max()) == result


def test_on_two_by_two_only_an_outer_edge_wins() -> None:
    """After an inner edge the second player can draw: mirror every move."""
    scores = solved(2, 2).scores(Positions(name(2, 2), 1))[0]
    assert np.sign(scores).tolist() == [1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1]


def test_search_proves_what_is_true_though_players_move_again() -> None:
    """In positions of 2x2 with four or five edges left: the value of a proven win is +1 for the mover, of a loss -1."""
    env_id, exhaustive = name(2, 2), solved(2, 2)
    positions = Positions(env_id, 0).of(exhaustive.states)
    left = positions.legal().sum(axis=1)
    late = np.random.default_rng(1).permutation(np.flatnonzero((left <= 5) & (left >= 4)))[:200]
    positions = positions.of(exhaustive.states[late])
    _, values = Search(env_id, len(late), 1_000).run(positions.states, 1_000, uniform)
    scores = np.sign(exhaustive.scores(positions).max(axis=1, where=positions.legal(), initial=-128))
    assert {-1, 0, 1} == set(scores)
    for sign in (-1, 1):
        np.testing.assert_array_equal(values[scores == sign], sign)
    assert (np.abs(values[scores == 0]) < 1).all()


def test_whoever_closes_a_box_moves_again() -> None:
    """Also if it closes two; the other player moves after any other edge. The last box ends the game."""
    line = play_line(rules_of(name(1, 2)), [0, 4, 2, 1, 3, 6, 5])
    assert [position.mover for position in line.positions] == [1, 2, 1, 2, 1, 2, 1, 1]
    assert [position.winner for position in line.positions] == [0] * 7 + [1]
    assert str(line.positions[-1]) == "+---+---+\n| R | R |\n+---+---+"
    line = play_line(rules_of(name(1, 2)), [0, 4, 2, 5, 1, 3, 6])
    assert [position.mover for position in line.positions] == [1, 2, 1, 2, 2, 1, 2, 2]
    assert str(line.positions[-1]) == "+---+---+\n| B | B |\n+---+---+"
    assert line.positions[-1].winner == 2


def test_the_network_sees_edges_open_boxes_and_the_lead() -> None:
    """Nothing else: not who owns which box, nor who drew an edge."""
    game = game_of(name(1, 3))
    position = play_line(rules_of(game.env_id), [0, 6, 3, 7]).positions[-1]  # the second player closed the left box
    first, second = 2 * game.num_cells, 2 * game.num_cells + 3
    drawn, box = [1, 7, 9, 15], [8 + 2, 8 + 4]
    legal = [second + 3 + action for action in (1, 2, 4, 5, 8, 9)]
    ones = [*drawn, *(game.num_cells + cell for cell in box), second, *legal, game.obs_size - 1]
    assert np.flatnonzero(position.observation).tolist() == ones
    position = position.play(1).play(2).play(4).play(8)  # the first player closes the box in the middle
    assert not position.observation[first : second + 3].any()
    position = position.play(5).play(9)
    assert np.flatnonzero(position.observation[first : second + 3]).tolist() == [3]
    assert position.winner == 2


def test_positions_that_differ_in_the_owners_only_are_one_to_the_cache() -> None:
    """The words of the key are equal, and so is all that follows from them."""
    game = game_of(name(2, 2))
    one = play_line(rules_of(game.env_id), [0, 2, 6, 7]).positions[-1]
    state = one.state.copy()
    state[game.key_words :] ^= np.uint64(0b1111)
    other = Position(one.rules, state)
    assert other.cells.tolist() != one.cells.tolist()
    assert other.observation.tolist() == one.observation.tolist()
    while one.legal:
        one, other = one.play(one.legal[0]), other.play(one.legal[0])
        assert one.state[: game.key_words].tolist() == other.state[: game.key_words].tolist()
