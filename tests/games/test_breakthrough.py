"""Breakthrough: counts from the literature, small boards solved twice, and OpenSpiel as a second opinion."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import perft
import pyspiel
import pytest
from lines_of_play import Line, random_lines
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.core.errors import GameError
from trainer.games import game_of
from trainer.games.base import FIRST, OPEN, SECOND, State
from trainer.games.kernels import link_kernels
from trainer.games.layout import layout_of
from trainer.games.position import Position
from trainer.games.positions import Positions

GAMES = 1_000
SIZES = [(8, 8), (6, 6), (5, 7), (8, 3), (4, 2)]
"""Rows and columns."""


def named(rows: int, columns: int) -> str:
    """The name of a game of that size."""
    return f"breakthrough:rows={rows},columns={columns}"


def lines_of_length(env_id: str, depth: int) -> int:
    """The number of lines of exactly `depth` plies."""

    def warm_up(linked: Linked) -> None:
        linked.perft.perft(Position.first(linked.rules).state, 1, np.zeros(4, np.int64))

    linked = link_kernels(env_id, perft, warm_up=warm_up)
    return int(linked.perft.perft(Position.first(linked.rules).state, depth, np.zeros(4, np.int64)))


@pytest.mark.parametrize(
    ("rows", "columns", "counts"),
    [(8, 8, [22, 484, 11_132, 256_036]), (6, 6, [16, 256, 4_308, 71_478])],
)
def test_there_are_as_many_lines_of_play_as_were_counted(rows: int, columns: int, counts: list[int]) -> None:
    """Lines of 1 to 4 plies."""
    assert [lines_of_length(named(rows, columns), depth) for depth in range(1, 5)] == counts


# --- Small boards ---


def winner_by_levels(env_id: str) -> tuple[int, int]:
    """Who wins a game under best play, and the number of its positions: forwards by plies, then backwards.

    A position that can be reached in two numbers of plies counts twice.
    """
    levels: list[Positions] = [Positions(env_id, 1)]
    moves: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while len(levels[-1].states):
        rows, _, after = levels[-1].successors()
        states, number = np.unique(after.states, axis=0, return_inverse=True)
        levels.append(after.of(states))
        moves.append((rows, number.ravel()))
    winner = np.zeros(0, np.uint64)
    for level, (rows, number) in zip(reversed(levels[:-1]), reversed(moves), strict=True):
        can_win = np.zeros(len(level.states), np.bool_)
        can_win[rows[winner[number] == level.mover[rows]]] = True
        best = np.where(can_win, level.mover, 3 - level.mover)
        winner = np.where(level.winner == OPEN, best, level.winner)
    return int(winner[0]), sum(len(level.states) for level in levels)


def winner_by_squares(rows: int, columns: int) -> tuple[int, int]:
    """The same from other rules, written here a second time: sets of squares, and the mover always goes up."""
    seen: set[tuple[int, frozenset[tuple[int, int]], frozenset[tuple[int, int]]]] = set()

    @cache
    def mover_wins(ply: int, own: frozenset[tuple[int, int]], other: frozenset[tuple[int, int]]) -> bool:
        """Whether the player to move wins; every position that can be reached is visited."""
        seen.add((ply, own, other))
        won = False
        if not own or any(row == 0 for row, _ in other):
            return False
        for row, column in own:
            for right in (-1, 0, 1):
                to = (row + 1, column + right)
                if not 0 <= to[1] < columns or to in own or (to in other and right == 0):
                    continue
                turned = [
                    frozenset((rows - 1 - r, c) for r, c in side)
                    for side in (own - {(row, column)} | {to}, other - {to})
                ]
                won |= not mover_wins(ply + 1, turned[1], turned[0])
        return won

    home = frozenset((row, column) for row in (0, 1) for column in range(columns))
    away = frozenset((rows - 1 - row, column) for row, column in home)
    return (FIRST if mover_wins(0, home, away) else SECOND), len(seen)


@pytest.mark.parametrize(("rows", "columns"), [(4, 2), (5, 2), (6, 2), (7, 2), (4, 3)])
def test_two_solvers_agree_on_small_boards(rows: int, columns: int) -> None:
    """On the winner and on the number of positions."""
    assert winner_by_levels(named(rows, columns)) == winner_by_squares(rows, columns)


@pytest.mark.parametrize(("rows", "columns", "winner"), [(4, 4, SECOND), (5, 3, SECOND)])
def test_larger_boards_have_the_winner_that_was_found_once(rows: int, columns: int, winner: int) -> None:
    """Every position is visited."""
    assert winner_by_levels(named(rows, columns))[0] == winner


# --- The rules by hand ---


def position(board: list[str], mover: int, env_id: str = "breakthrough") -> Position:
    """A position from its rows, the last one on top."""
    cells = bytes(".WB".index(cell) for row in reversed(board) for cell in row.split())
    return Position.from_bytes(link_kernels(env_id).rules, cells + bytes([mover, OPEN]))


def moves(of: Position) -> list[str]:
    """The legal moves by name. Names are not compiled."""
    return [game_name(of, action) for action in of.legal]


def game_name(of: Position, action: int) -> str:
    """The name of a move, from the uncompiled rules."""
    from trainer.games import rules_of

    return Position(rules_of(of.rules.GAME.env_id), of.state).name(action)
