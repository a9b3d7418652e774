"""Kernels that solve endgames of Othello exactly, by alpha-beta. R rows, S state words, A actions, D the deepest line.

What a finished game is worth is the difference in discs, and the winner also gets the empty cells, as usual in Othello. If
many cells are empty, moves that leave the opponent few moves are tried first.

Compiled by `trainer.games.kernels`, which binds the module of the rules as `own`.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import MOVER, State
from trainer.games.othello.rules import PASS, STONES

own: ModuleType

ONE = np.uint64(1)
MOST_PLACES = 34
"""More than a position can have; a pass counts as one."""
ORDERED_ABOVE = 5
"""Moves are put in order if more cells than this are empty."""
CELLS = 64


class Line(NamedTuple):
    """The positions of the current line, and what is known of them for the player to move."""

    movers: NDArray[np.uint64]
    """[D] the discs of the player to move: bit i is cell i."""
    others: NDArray[np.uint64]
    """[D] the other's."""
    moves: NDArray[np.int64]
    """[D, MOST_PLACES] cells, or PASS, in the order in which they are tried."""
    left: NDArray[np.int64]
    """[MOST_PLACES] scratch memory: how many moves each one leaves the opponent."""
    number: NDArray[np.int64]
    """[D] how many moves there are; 0 if the game is over."""
    tried: NDArray[np.int64]
    """[D] how many of them have been tried."""
    best: NDArray[np.int64]
    """[D] the most that one of those is worth."""
    alpha: NDArray[np.int64]
    """[D] of two values that are no larger than this, it doesn't matter which one is right."""
    beta: NDArray[np.int64]
    """[D] likewise for two that are no smaller."""


def empty_line(empty: int) -> Line:
    """Memory for positions with at most this many empty cells."""
    plies = 2 * empty + 3  # a pass before each move, and two at the end
    numbers = [np.zeros(plies, np.int64) for _ in range(5)]
    return Line(
        np.zeros(plies, np.uint64),
        np.zeros(plies, np.uint64),
        np.zeros((plies, MOST_PLACES), np.int64),
        np.zeros(MOST_PLACES, np.int64),
        *numbers,
    )


def score_all(line: Line, states: State, scores: NDArray[np.int8]) -> None:
    """Write what each legal move is worth for the player who makes it to `scores` [R, A]; `states` [R, S]."""
    for row in range(len(states)):
        mover = int(states[row, MOVER])
        discs, theirs = states[row, STONES + mover - 1], states[row, STONES + 2 - mover]
        set_position(line, 0, discs, theirs, -CELLS, CELLS)
        for number in range(line.number[0]):
            action = line.moves[0, number]
            scores[row, action] = -solve_after(line, 0, action, -CELLS, CELLS)


def solve(line: Line, discs: np.uint64, theirs: np.uint64, alpha: int, beta: int) -> int:
    """What a position is worth for the player to move, if that is between `alpha` and `beta`; else a bound on that side."""
    set_position(line, 0, discs, theirs, alpha, beta)
    return search(line, 0)


def solve_after(line: Line, ply: int, action: int, alpha: int, beta: int) -> int:
    """The same for the position after a move in that of a ply, for the player to move there."""
    make_move(line, ply, action, alpha, beta)
    return search(line, ply + 1)


def search(line: Line, root: int) -> int:
    """What the position at ply `root` is worth; not recursive, as `trainer.players.alphabeta` explains."""
    if line.number[root] == 0:
        return final_difference(line.movers[root], line.others[root])
    ply = root
    while True:
        if line.tried[ply] < line.number[ply] and line.best[ply] < line.beta[ply]:
            action = line.moves[ply, line.tried[ply]]
            line.tried[ply] += 1
            make_move(line, ply, action, -line.beta[ply], -max(line.alpha[ply], line.best[ply]))
            if line.number[ply + 1] > 0:
                ply += 1
                continue
            value = final_difference(line.movers[ply + 1], line.others[ply + 1])
        else:
            value = line.best[ply]
            if ply == root:
                return int(value)
            ply -= 1
        line.best[ply] = max(line.best[ply], -value)


def make_move(line: Line, ply: int, action: int, alpha: int, beta: int) -> None:
    """Write the position after a move in that of a ply to the next ply, with its window."""
    discs, theirs = line.movers[ply], line.others[ply]
    if action != PASS:
        disc = ONE << np.uint64(action)
        turned = own.flips(disc, discs, theirs)
        discs, theirs = discs | disc | turned, theirs & ~turned
    set_position(line, ply + 1, theirs, discs, alpha, beta)


def set_position(line: Line, ply: int, discs: np.uint64, theirs: np.uint64, alpha: int, beta: int) -> None:
    """Begin with a position at a ply: list its moves."""
    line.movers[ply], line.others[ply] = discs, theirs
    line.alpha[ply], line.beta[ply] = alpha, beta
    line.best[ply] = -CELLS - 1
    line.tried[ply] = 0
    places = own.placements(discs, theirs)
    count = 0
    if places == 0:
        if own.placements(theirs, discs) != 0:
            line.moves[ply, 0] = PASS
            count = 1
    elif own.count(~(discs | theirs)) > ORDERED_ABOVE:
        count = ordered_moves(line, ply, places)
    else:
        for cell in range(CELLS):
            if (places >> np.uint64(cell)) & ONE != 0:
                line.moves[ply, count] = cell
                count += 1
    line.number[ply] = count


def ordered_moves(line: Line, ply: int, places: np.uint64) -> int:
    """Write the cells of `places` to the moves of a ply; those that leave the opponent fewest moves come first."""
    discs, theirs = line.movers[ply], line.others[ply]
    count = 0
    for cell in range(CELLS):
        disc = ONE << np.uint64(cell)
        if places & disc == 0:
            continue
        turned = own.flips(disc, discs, theirs)
        left = own.count(own.placements(theirs & ~turned, discs | disc | turned))
        at = count
        while at > 0 and line.left[at - 1] > left:
            line.left[at] = line.left[at - 1]
            line.moves[ply, at] = line.moves[ply, at - 1]
            at -= 1
        line.left[at], line.moves[ply, at] = left, cell
        count += 1
    return count


def final_difference(discs: np.uint64, theirs: np.uint64) -> int:
    """The difference in discs of a finished game; the winner also gets the empty cells."""
    difference = int(own.count(discs)) - int(own.count(theirs))
    empty = int(own.count(~(discs | theirs)))
    if difference > 0:
        return difference + empty
    return difference - empty if difference < 0 else 0
