"""Kernels that visit every position of a game, depth first, and keep what each is worth. R rows, S state words, A actions.

What a position is worth for its mover is a number, of which a larger one is better: MOST - n if best play wins in n plies,
-(MOST - n) if it loses in n, 0 for a draw. A faster win is better, and a slower loss.

The table has no positions, only two 64-bit hashes of the words of each that decide the rest of the game: among ten million
positions the chance that two are taken for one is below 10^-24.

Compiled for each game by `trainer.games.kernels`, which binds `rules`, `splitmix` and the sizes.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Game, Mask, Moves, Rules, State

rules: Rules
splitmix: ModuleType
NUM_ACTIONS: int

MOST = 30_000
FREE, UNDER_WAY = -32_768, 32_767  # what a place of the table holds before a position is there, and before it is solved
NO_MOVE = -32_000
LEAST_SCORE, MOST_SCORE = 1, 127
TOO_MANY, REPEATED, TOO_LONG, UNKNOWN = -1, -2, -3, -4

ODD = np.uint64(0xD6E8_FEB8_6659_FD93)


class Table(NamedTuple):
    """A hash table of positions with C places, a power of 2."""

    keys: NDArray[np.uint64]
    """[C, 2]"""
    worth: NDArray[np.int16]
    """[C] for the position's mover; or FREE, or UNDER_WAY."""
    ply: NDArray[np.int16]
    """[C] the plies of a line that leads to the position."""
    words: int
    """The first words of a state, which decide the rest of the game."""


class Line(NamedTuple):
    """The current line, D plies, and scratch memory."""

    states: State
    """uint64 [D + 1, S]"""
    legal: Mask
    """bool [D + 1, A]"""
    tried: NDArray[np.int32]
    """[D + 1] the actions below this one have been tried."""
    best: NDArray[np.int16]
    """[D + 1] the most that a tried move is worth."""
    place: NDArray[np.int64]
    """[D + 1] of the position in the table."""
    found: Moves
    """int32 [A]"""


def empty_table(game: Game, places: int) -> Table:
    """A table without positions; `places` is a power of 2."""
    return Table(
        keys=np.zeros((places, 2), np.uint64),
        worth=np.full(places, FREE, np.int16),
        ply=np.zeros(places, np.int16),
        words=game.lasting_words,
    )


def empty_line(game: Game) -> Line:
    """Memory for the longest line of a game."""
    plies = game.max_plies + 1
    return Line(
        states=np.zeros((plies, game.state_words), np.uint64),
        legal=np.zeros((plies, game.num_actions), np.bool_),
        tried=np.zeros(plies, np.int32),
        best=np.zeros(plies, np.int16),
        place=np.zeros(plies, np.int64),
        found=np.zeros(game.num_actions, np.int32),
    )


def visit(table: Table, line: Line, sample: State, plies: NDArray[np.int64], most: int) -> int:
    """Solve the position `line.states[0]` and all unfinished ones that follow from it; returns how many there are.

    `sample` [R, S] gets all of them if there are at most R, else R of them, each with the same chance; `plies` [R] gets
    their plies. Gives up, and returns TOO_MANY if there are more than `most`, REPEATED if a position can come back, TOO_LONG
    if a line is longer than the game says.
    """
    enter(table, line, 0)
    ply = 0
    count = keep(line, 0, sample, plies, 0)
    while True:
        action = int(line.tried[ply])
        while action < NUM_ACTIONS and not line.legal[ply, action]:
            action += 1
        line.tried[ply] = action + 1
        if action < NUM_ACTIONS:
            if ply + 1 == len(line.states):
                return TOO_LONG
            play(line, ply, action)
            if line.states[ply + 1, WINNER] != OPEN:
                better(line, ply, worth_of_result(line, ply))
                continue
            known = enter(table, line, ply + 1)
            if known == UNDER_WAY:
                return REPEATED
            if known != FREE:
                better(line, ply, worth_for_mover(line, ply, known))
                continue
            if count == most:
                return TOO_MANY
            ply += 1
            count = keep(line, ply, sample, plies, count)
            continue
        table.worth[line.place[ply]] = line.best[ply]
        if ply == 0:
            return count
        ply -= 1
        better(line, ply, worth_for_mover(line, ply, int(line.best[ply + 1])))


def enter(table: Table, line: Line, ply: int) -> int:
    """Look up the position of a ply. If it is new, returns FREE, and begins to solve it; else returns what it is worth."""
    state = line.states[ply]
    place = find(table, state)
    known = int(table.worth[place])
    if known == FREE:
        table.keys[place, 0], table.keys[place, 1] = first_key(table, state), second_key(table, state)
        table.worth[place] = UNDER_WAY
        table.ply[place] = ply
        line.place[ply] = place
        line.tried[ply] = 0
        line.best[ply] = NO_MOVE
        list_moves(line, ply)
    return known


def list_moves(line: Line, ply: int) -> None:
    """Write the legal actions of the position of a ply."""
    rules.legal(line.states[ply], line.legal[ply], line.found)


def play(line: Line, ply: int, action: int) -> None:
    """Write the position after an action in that of a ply to the next ply."""
    for word in range(line.states.shape[1]):
        line.states[ply + 1, word] = line.states[ply, word]
    rules.play(line.states[ply + 1], action)


def find(table: Table, state: State) -> int:
    """The place of a position, or a free one for it."""
    first, second = first_key(table, state), second_key(table, state)
    last = len(table.worth) - 1
    place = np.int64(first & np.uint64(last))
    while table.worth[place] != FREE and (table.keys[place, 0] != first or table.keys[place, 1] != second):
        place = (place + 1) & last
    return int(place)


def keep(line: Line, ply: int, sample: State, plies: NDArray[np.int64], count: int) -> int:
    """Keep the position of a ply in the sample, by chance if that is full; returns the number of positions with this one."""
    row = np.int64(count)
    if count >= len(sample):
        row = np.int64(splitmix.mixed(np.uint64(count) * splitmix.STEP) % np.uint64(count + 1))
    if row < len(sample):
        for word in range(sample.shape[1]):
            sample[row, word] = line.states[ply, word]
        plies[row] = ply
    return count + 1


def better(line: Line, ply: int, worth: int) -> None:
    """Count a move of the position of a ply."""
    line.best[ply] = max(int(line.best[ply]), worth)


def worth_of_result(line: Line, ply: int) -> int:
    """What a move that ends the game is worth for the player who makes it; the position after it is the next of the line."""
    winner = line.states[ply + 1, WINNER]
    if winner == DRAW:
        return 0
    return MOST - 1 if winner == line.states[ply, MOVER] else 1 - MOST


def worth_for_mover(line: Line, ply: int, worth: int) -> int:
    """What a move is worth for the player who makes it, after which the position is worth so much for the player to move."""
    nearer = worth - 1 if worth > 0 else worth + 1 if worth < 0 else 0
    return nearer if line.states[ply, MOVER] == line.states[ply + 1, MOVER] else -nearer


def score_all(table: Table, line: Line, states: State, scores: NDArray[np.int8]) -> int:
    """Write the score of every legal move in the rows of `states` [R, S] to `scores` [R, A].

    Returns 0, or UNKNOWN if one of the positions was not visited.
    """
    for row in range(len(states)):
        for word in range(states.shape[1]):
            line.states[0, word] = states[row, word]
        place = find(table, states[row])
        if table.worth[place] == FREE:
            return UNKNOWN
        list_moves(line, 0)
        for action in range(NUM_ACTIONS):
            if not line.legal[0, action]:
                continue
            play(line, 0, action)
            if line.states[1, WINNER] != OPEN:
                worth = worth_of_result(line, 0)
            else:
                known = int(table.worth[find(table, line.states[1])])
                if known == FREE:
                    return UNKNOWN
                worth = worth_for_mover(line, 0, known)
            scores[row, action] = score_of(worth, len(line.states) - int(table.ply[place]))
    return 0


def score_of(worth: int, left: int) -> int:
    """The score of a move that is worth so much; at most `left` - 1 plies are left of the game.

    An int8 has no room for all lengths of longer games: there, the slowest wins have the same score.
    """
    if worth == 0:
        return 0
    size = max(min(left, MOST_SCORE + 1) - (MOST - abs(worth)), LEAST_SCORE)
    return size if worth > 0 else -size


def first_key(table: Table, state: State) -> np.uint64:
    """A hash of the words that decide the rest of the game."""
    key = splitmix.STEP
    for word in range(table.words):
        key = splitmix.mixed(key ^ state[word]) + splitmix.STEP
    return np.uint64(key)


def second_key(table: Table, state: State) -> np.uint64:
    """Another one."""
    key = ODD
    for word in range(table.words):
        key = splitmix.mixed((key + state[word]) * ODD)
    return np.uint64(key)
