"""Minimax: it sees near wins, and agrees with the plain definition."""

from __future__ import annotations

from collections.abc import Callable
from math import dist
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from registering import game_with

from trainer.core.errors import GameError
from trainer.evaluators.loader import ModelLoader
from trainer.games import rules_of
from trainer.games.base import DRAW, OPEN
from trainer.games.connect4 import heuristic as fours
from trainer.games.othello import heuristic as mobility
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.solving.scored_positions import positions_after, scored_positions_of
from trainer.measure.move_quality import measure_move_quality
from trainer.players import MinimaxPlayer, PlayerName, RandomPlayer, named_player


def lines_of(width: int, height: int, length: int) -> list[list[int]]:
    """The cells of each line of a board."""
    return [
        [(row + n * down) * width + column + n * right for n in range(length)]
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1))
        for row in range(height)
        for column in range(width)
        if row + (length - 1) * down < height and 0 <= column + (length - 1) * right < width
    ]


def open_lines(position: Position, lines: list[list[int]], worth: tuple[int, ...]) -> int:
    """What the lines without a stone of the opponent are worth by their number of stones, less the same of the opponent."""
    total, cells = 0, position.cells.tolist()
    for line in lines:
        owners = [cells[cell] for cell in line]
        for seat, sign in ((position.mover, 1), (3 - position.mover, -1)):
            if 3 - seat not in owners:
                total += sign * worth[owners.count(seat)]
    return total


def open_fours(position: Position) -> int:
    """The heuristic of Connect 4, computed line by line."""
    return open_lines(position, lines_of(7, 6, 4), (0, 1, 10, 100))


def open_fives(position: Position) -> int:
    """The heuristic of five in a row on a board of 9x8, which needs two words."""
    return open_lines(position, lines_of(9, 8, 5), (0, 1, 10, 100, 1000))


def open_threes(position: Position) -> int:
    """The heuristic of three in a row: an empty line is worth nothing."""
    return open_lines(position, lines_of(5, 4, 3), (0, 100, 1000))


def open_sixes(position: Position) -> int:
    """The heuristic of six in a row on a board of 6x6: two stones are worth no more than one."""
    return open_lines(position, lines_of(6, 6, 6), (0, 1, 1, 10, 100, 1000))


def corners_and_moves(position: Position) -> int:
    """The heuristic of Othello, computed from both sides' legal moves and the corners."""
    total = 0
    for seat, sign in ((position.mover, 1), (3 - position.mover, -1)):
        state = position.state.copy()
        state[0] = seat
        moves = [action for action in Position(position.rules, state).legal if action != 64]
        total += sign * 10 * len(moves)
        for corner, neighbour in ((0, 9), (7, 14), (56, 49), (63, 54)):
            if position.cells[corner] == seat:
                total += sign * 200
            elif position.cells[corner] == 0 and position.cells[neighbour] == seat:
                total -= sign * 60
    return total


def outwards(width: int, height: int) -> NDArray[np.int64]:
    """The cells by their distance from the middle, and by their number among equals."""
    middle = (height - 1) / 2, (width - 1) / 2
    return np.array(sorted(range(width * height), key=lambda cell: (dist(divmod(cell, width), middle), cell)))


def value(position: Position, depth: int, heuristic: Callable[[Position], int]) -> int:
    """Minimax by its definition, without pruning, for the player to move."""
    if position.winner != OPEN:
        sign = 0 if position.winner == DRAW else 1 if position.winner == position.mover else -1
        return sign * (1_000_000 + depth)
    if depth == 0:
        return heuristic(position)
    return max(value_of_move(position, action, depth, heuristic) for action in position.legal)


def value_of_move(position: Position, action: int, depth: int, heuristic: Callable[[Position], int]) -> int:
    """The value of a move for the player who makes it."""
    after = position.play(action)
    worth = value(after, depth - 1, heuristic)
    return worth if after.mover == position.mover else -worth


@pytest.mark.parametrize(
    ("env_id", "heuristic", "order", "depth", "plies"),
    [
        ("connect4", open_fours, fours.ORDER, 3, (0, 17, 30)),
        ("othello", corners_and_moves, mobility.ORDER, 2, (3, 30, 52)),
        ("mnk:width=9,height=8,line=5", open_fives, outwards(9, 8), 1, (0, 13, 40, 60)),
        ("mnk:height=4,line=3", open_threes, outwards(5, 4), 2, (0, 3)),
        ("mnk:width=6,height=6,line=6", open_sixes, outwards(6, 6), 2, (22, 31)),
    ],
)
def test_the_move_is_the_best_by_the_definition(env_id, heuristic, order, depth, plies) -> None:
    """In random positions of all phases, it is the first move, in the heuristic's order, with the largest value."""
    generator, rules = np.random.default_rng(3), rules_of(env_id)
    for ply in plies:
        positions = Positions(env_id, 2)
        for _ in range(ply):
            rows = np.flatnonzero(positions.winner == OPEN)
            chosen = RandomPlayer().choose(positions.of(positions.states[rows]), [generator] * len(rows))
            positions.play(rows, chosen)
        positions = positions.of(positions.states[positions.winner == OPEN])
        for state, action in zip(positions.states, MinimaxPlayer(env_id, depth).choose(positions, []), strict=True):
            position = Position(rules, state)
            values = {a: value_of_move(position, a, depth, heuristic) for a in order.tolist() if a in position.legal}
            assert action == max(values, key=values.get), str(position)


def test_it_wins_and_blocks() -> None:
    """Red wins in column 3, Yellow blocks column 3, and Red makes a double threat that wins two moves later."""
    positions = positions_after("connect4", ["343434", "34343", "2233"])
    for depth in (2, 5):
        assert MinimaxPlayer("connect4", depth).choose(positions, []).tolist()[:2] == [3, 3]
    # Red holds 2 and 3 of the bottom row with both sides open: 1 or 4 makes three with two open ends.
    assert MinimaxPlayer("connect4").choose(positions, []).tolist()[2] in (1, 4)


def test_the_baseline_makes_the_documented_errors() -> None:
    """At depth 5 the weak errors in the six kinds are 2.5, 1.3, 10.9, 0.7, 10.1 and 25.9%."""
    quality = measure_move_quality(scored_positions_of("connect4"), MinimaxPlayer("connect4"))
    assert [errors.weak for errors in quality.kinds.values()] == [25, 13, 109, 7, 101, 259]


def test_deeper_search_errs_less() -> None:
    """Every two further plies reduce the total of wrong moves."""
    scored = scored_positions_of("connect4").every(4)
    errors = [measure_move_quality(scored, MinimaxPlayer("connect4", depth)).total.strong for depth in (1, 3, 5)]
    assert errors == sorted(errors, reverse=True)


def test_the_orders_hold_each_action_once_and_othello_tries_corners_first() -> None:
    """ORDER decides which of equally good moves is played."""
    assert sorted(mobility.ORDER.tolist()) == list(range(65))
    assert mobility.ORDER[:4].tolist() == [0, 7, 56, 63]
    assert sorted(fours.ORDER.tolist()) == list(range(7))


def test_a_game_without_a_heuristic_says_so() -> None:
    """Tic-tac-toe has the perfect player instead."""
    with pytest.raises(GameError, match="minimax has no heuristic for tictactoe; it plays connect4, othello"):
        MinimaxPlayer("tictactoe")


def test_its_name_may_say_how_far_it_looks() -> None:
    """Otherwise it looks as far as the game's heuristic says."""
    names = [
        named_player(PlayerName.read(name), ModelLoader("othello"), 0, 1).name for name in ("minimax", "minimax:2")
    ]
    assert names == ["Minimax(6 plies)", "Minimax(2 plies)"]


HEURISTIC = """
import numpy as np

DEPTH = 2
ORDER = np.arange(9)


def value(state):
    return 0
"""


def test_a_heuristic_needs_no_order(tmp_path: Path) -> None:
    """Moves are then tried from the middle outwards, so it begins there if all are worth the same."""
    env_id = game_with("heuristic.py", HEURISTIC.replace("ORDER = np.arange(9)", ""), tmp_path)
    assert MinimaxPlayer(env_id).choose(Positions(env_id, 1), []).tolist() == [4]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("DEPTH", "DEEP", r"heuristic\.py has no DEPTH; set it to a number of plies, at least 1"),
        ("DEPTH = 2", "DEPTH = 0", r"DEPTH in .*heuristic\.py is 0, of the type int; set it to a number of plies"),
        (
            "arange(9)",
            "arange(8)",
            r"ORDER in .*heuristic\.py is array\(.*\), of the type ndarray; set it to an int64 array of all actions,",
        ),
        ("def value", "def worth", r"heuristic\.py has no value; define value\(state\)"),
        ("return 0", "return state[1 / 1]", r"^/.*/heuristic\.py, line \d+: value can't be compiled \(`return state\["),
    ],
)
def test_a_wrong_heuristic_gets_one_sentence(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    """Of an order before it is compiled: a kernel would read past the end of a short one."""
    with pytest.raises(GameError, match=message):
        MinimaxPlayer(game_with("heuristic.py", HEURISTIC.replace(right, wrong), tmp_path))
