"""The exact values of all positions of a small game, by visiting every one: forwards ply by ply, then backwards.

It knows nothing of the search and nothing of signs: values are the first player's, which the mover maximises or minimises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.check.findings import NO_MOVE, TOO_LONG, Finding, failure
from trainer.check.subject import Subject
from trainer.games.base import DRAW, FIRST, MOVER, OPEN, State

MOST_POSITIONS = 100_000
MOST_MOVES_PER_PLY = 1_500_000

Values = NDArray[np.int8]


@dataclass(frozen=True)
class Level:
    """The unfinished positions of one ply, each once. R positions, M moves of all of them."""

    states: State
    """uint64 [R, S]"""
    rows: NDArray[np.int64]
    """[M] ascending"""
    actions: NDArray[np.int64]
    """[M]"""
    result: Values
    """[M] of a move that ends the game: +1 if the first player has won, 0, -1."""
    next: NDArray[np.int64]
    """[M] row of the next level; -1: the move ends the game."""


@dataclass(frozen=True)
class Solution:
    """A solved game. `moves[p]` [M], `values[p]` [R]: of the moves and positions of level p, for the first player."""

    levels: list[Level]
    moves: list[Values]
    values: list[Values]

    @property
    def positions(self) -> int:
        """The number of unfinished positions, counted once for each ply at which they can come up."""
        return sum(len(level.states) for level in self.levels)

    @property
    def value(self) -> int:
        """The first position's: +1 if the first player wins, 0, -1."""
        return int(self.values[0][0])


def solve(subject: Subject) -> Solution | Finding | None:
    """The solution, or why there can't be one: what is wrong with a position. None if the game has more than about
    MOST_POSITIONS positions."""
    levels = expanded(subject)
    if levels is None or isinstance(levels, Finding):
        return levels
    moves: list[Values] = []
    values: list[Values] = []
    for level in reversed(levels):
        value = level.result.copy()
        going = level.next >= 0
        if going.any():
            value[going] = values[0][level.next[going]]
        first = np.flatnonzero(np.diff(level.rows, prepend=-1))
        best, worst = np.maximum.reduceat(value, first), np.minimum.reduceat(value, first)
        moves.insert(0, value)
        values.insert(0, np.where(level.states[:, MOVER] == FIRST, best, worst).astype(np.int8))
    return Solution(levels, moves, values)


def expanded(subject: Subject) -> list[Level] | Finding | None:
    """All levels, without values, or a position that breaks a promise; None if there are too many positions."""
    levels: list[Level] = []
    positions, found = subject.first(1), 0
    while len(positions.states):
        found += len(positions.states)
        legal, most = subject.legal(positions.states), subject.game.max_plies
        if found > MOST_POSITIONS or legal.sum() > MOST_MOVES_PER_PLY:
            return None
        stuck = np.flatnonzero(~legal.any(axis=1))
        if len(stuck):
            text = NO_MOVE.format(mover=positions.mover[stuck[0]])
            return failure(text, line_to(levels, len(levels), int(stuck[0])))
        if len(levels) == most:
            return failure(TOO_LONG.format(plies=most), line_to(levels, most, 0))
        rows, actions = np.nonzero(legal)
        after = positions.of(positions.states[rows])
        after.play(np.arange(len(rows)), actions)
        going = after.winner == OPEN
        following, inverse = unique_rows(after.states[going])
        link = np.full(len(rows), -1)
        link[going] = inverse
        result = np.where(after.winner == FIRST, 1, np.where(after.winner == DRAW, 0, -1)).astype(np.int8)
        levels.append(Level(positions.states, rows, actions, np.where(going, 0, result).astype(np.int8), link))
        positions = positions.of(following)
    return levels


def line_to(levels: Sequence[Level], number: int, row: int) -> tuple[int, ...]:
    """Actions that lead from the first position to the position `row` of a level, also of the one after the last."""
    line: list[int] = []
    for level in reversed(levels[:number]):
        move = int(np.flatnonzero(level.next == row)[0])
        line.insert(0, int(level.actions[move]))
        row = int(level.rows[move])
    return tuple(line)


def unique_rows(states: State) -> tuple[State, NDArray[np.int64]]:
    """The different rows of `states` [M, S], and for each row which of them it is [M]."""
    whole = np.ascontiguousarray(states).view(np.dtype((np.void, 8 * states.shape[1]))).ravel()
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return states[first], inverse.ravel()
