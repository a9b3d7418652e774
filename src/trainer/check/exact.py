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
MOST_WORDS_PER_PLY = 60_000_000
"""In the positions after all moves of a ply."""
MOST_PLACES_PER_PLY = 200_000_000
"""Of the masks of legal moves of a ply's positions, a byte each."""

Values = NDArray[np.int8]


@dataclass(frozen=True)
class PlyPositions:
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
    """[M] row of the next ply; -1: the move ends the game."""


@dataclass(frozen=True)
class Solution:
    """A solved game. `moves[p]` [M], `values[p]` [R]: of the moves and positions of ply p, for the first player."""

    plies: list[PlyPositions]
    moves: list[Values]
    values: list[Values]

    @property
    def positions(self) -> int:
        """The number of unfinished positions, counted once for each ply at which they can come up."""
        return sum(len(ply.states) for ply in self.plies)

    @property
    def value(self) -> int:
        """The first position's: +1 if the first player wins, 0, -1."""
        return int(self.values[0][0])


def solve(subject: Subject) -> Solution | Finding | None:
    """The solution, or why there can't be one: what is wrong with a position. None if the game has more than about
    MOST_POSITIONS positions, or too many or too large ones after the moves of a ply."""
    plies = expanded(subject)
    if plies is None or isinstance(plies, Finding):
        return plies
    moves: list[Values] = []
    values: list[Values] = []
    for ply in reversed(plies):
        value = ply.result.copy()
        going = ply.next >= 0
        if going.any():
            value[going] = values[0][ply.next[going]]
        first = np.flatnonzero(np.diff(ply.rows, prepend=-1))
        best, worst = np.maximum.reduceat(value, first), np.minimum.reduceat(value, first)
        moves.insert(0, value)
        values.insert(0, np.where(ply.states[:, MOVER] == FIRST, best, worst).astype(np.int8))
    return Solution(plies, moves, values)


def expanded(subject: Subject) -> list[PlyPositions] | Finding | None:
    """All plies, without values, or a position that breaks a promise; None if there are too many positions."""
    plies: list[PlyPositions] = []
    positions, found = subject.first(1), 0
    most_moves = min(MOST_MOVES_PER_PLY, MOST_WORDS_PER_PLY // subject.game.state_words)
    while len(positions.states):
        found += len(positions.states)
        if found > MOST_POSITIONS or len(positions.states) * subject.game.num_actions > MOST_PLACES_PER_PLY:
            return None
        legal, most = subject.legal(positions.states), subject.game.max_plies
        if legal.sum() > most_moves:
            return None
        stuck = np.flatnonzero(~legal.any(axis=1))
        if len(stuck):
            text = NO_MOVE.format(mover=positions.mover[stuck[0]])
            return failure(text, line_to(plies, len(plies), int(stuck[0])))
        if len(plies) == most:
            return failure(TOO_LONG.format(plies=most), line_to(plies, most, 0))
        rows, actions = np.nonzero(legal)
        after = positions.of(positions.states[rows])
        after.play(np.arange(len(rows)), actions)
        going = after.winner == OPEN
        following, inverse = unique_rows(after.states[going])
        link = np.full(len(rows), -1)
        link[going] = inverse
        result = np.where(after.winner == FIRST, 1, np.where(after.winner == DRAW, 0, -1)).astype(np.int8)
        plies.append(PlyPositions(positions.states, rows, actions, np.where(going, 0, result).astype(np.int8), link))
        positions = positions.of(following)
    return plies


def line_to(plies: Sequence[PlyPositions], number: int, row: int) -> tuple[int, ...]:
    """Actions that lead from the first position to the position `row` of a ply, also of the one after the last."""
    line: list[int] = []
    for ply in reversed(plies[:number]):
        move = int(np.flatnonzero(ply.next == row)[0])
        line.insert(0, int(ply.actions[move]))
        row = int(ply.rows[move])
    return tuple(line)


def unique_rows(states: State) -> tuple[State, NDArray[np.int64]]:
    """The different rows of `states` [M, S], and for each row which of them it is [M]."""
    whole = np.ascontiguousarray(states).view(np.dtype((np.void, 8 * states.shape[1]))).ravel()
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return states[first], inverse.ravel()
