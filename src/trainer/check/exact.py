"""The exact values of all positions of a small game, by visiting every one: forwards ply by ply, then backwards.

It knows nothing of the search and nothing of signs: values are the first player's, which the mover maximises or minimises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def solve(subject: Subject) -> Solution | None:
    """The solution; None if the game has more than about MOST_POSITIONS positions."""
    levels = expanded(subject)
    if levels is None:
        return None
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


def expanded(subject: Subject) -> list[Level] | None:
    """All levels, without values; None if there are too many positions."""
    levels: list[Level] = []
    positions, found = subject.first(1), 0
    while len(positions.states):
        found += len(positions.states)
        legal = subject.legal(positions.states)
        if found > MOST_POSITIONS or legal.sum() > MOST_MOVES_PER_PLY or len(levels) > subject.game.max_plies:
            return None
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


def unique_rows(states: State) -> tuple[State, NDArray[np.int64]]:
    """The different rows of `states` [M, S], and for each row which of them it is [M]."""
    whole = np.ascontiguousarray(states).view(np.dtype((np.void, 8 * states.shape[1]))).ravel()
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return states[first], inverse.ravel()
