"""Pairs of positions that are alike in one respect and differ in another, found among random games."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.check.random_games import Ply, RandomGames
from trainer.check.subject import Subject, chosen
from trainer.games.base import OPEN, State
from trainer.games.positions import Positions

MOST_PAIRS = 3_000
MOST_COMPARED = 200_000_000
"""Numbers of all positions that are compared, if the usual number of games was asked for."""
MOST_WORDS = 25_000_000
"""Of all positions that are kept to find them again."""
MOST_NUMBERS = 50_000_000
"""In the states and observations after all moves of all pairs: of more, a sample of the pairs is compared."""
BRANCHED_PER_PLY = 100
"""Positions of a ply from which moves are played in two orders, and two different moves."""

Label = Callable[[Positions], NDArray[np.uint8]]
"""uint8 [R, any number]: what two positions must have in common to be alike."""
Differ = Callable[[State, State], NDArray[np.bool_]]
"""[N] Whether two alike states [N, S] differ in the respect that matters."""
Moves = tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """Two unfinished positions, with the moves that lead to them."""

    one: NDArray[np.uint64]
    two: NDArray[np.uint64]
    moves_one: Moves
    moves_two: Moves


def games_compared(subject: Subject, per_ply: int) -> int:
    """In how many games pairs are looked for. They are fewer than were asked for if it would take too long to compare
    `per_ply` numbers of each position, or too much memory to keep all positions."""
    memory = subject.games_within(MOST_WORDS, subject.game.state_words)
    return min(memory, subject.games_worth(MOST_COMPARED, per_ply))


def pairs_alike(subject: Subject, count: int, label: Label, differ: Differ) -> list[Pair]:
    """Pairs from `count` random games: positions that came up in two of them, those after two moves of one position, and
    those after moves that were played in two orders."""
    games = RandomGames(subject, count)
    generator = subject.numbers(4)
    seen: dict[bytes, tuple[bytes, int, int]] = {}
    pairs: list[Pair] = []
    for ply in games:
        if len(pairs) >= MOST_PAIRS:
            break
        pairs += repeated(games, ply, seen, label, differ)
        pairs += siblings(games, ply, generator, label, differ)
        pairs += transposed(games, ply, generator, label, differ)
    return pairs[:MOST_PAIRS]


def repeated(
    games: RandomGames, ply: Ply, seen: dict[bytes, tuple[bytes, int, int]], label: Label, differ: Differ
) -> Iterator[Pair]:
    """Pairs of a position of this ply and one that is in `seen`, by its label; adds those that are new.

    A position one move before `max_plies` is not paired with one of an earlier ply, because the limit need not be seen.
    """
    last = ply.number == ply.before.game.max_plies - 1
    for row, name in enumerate(label(ply.before)):
        state = ply.before.states[row]
        other, game, number = seen.setdefault(name.tobytes(), (state.tobytes(), int(ply.games[row]), ply.number))
        there = np.frombuffer(other, np.uint64)
        if differ(there[None], state[None])[0] and not (last and number < ply.number):
            yield Pair(there, state, games.moves(game, number), games.moves(int(ply.games[row]), ply.number))


def siblings(
    games: RandomGames, ply: Ply, generator: np.random.Generator, label: Label, differ: Differ
) -> Iterator[Pair]:
    """Pairs of the position after the move that was played and the one after another move.

    Late in a game equal positions don't come up twice, and what is rare, such as a promoted piece, has two moves.
    """
    begin = ply.before.of(ply.before.states[:BRANCHED_PER_PLY])
    actions = chosen(ply.legal[: len(begin.states)], generator)
    two, going = played(begin, np.arange(len(begin.states)), actions)
    going = going[ply.after.winner[going] == OPEN]
    one, two = begin.of(ply.after.states[going]), begin.of(two.states[going])
    for at in places_alike(one, two, label, differ):
        row = int(going[at])
        line = games.moves(int(ply.games[row]), ply.number + 1)
        yield Pair(one.states[at], two.states[at], line, (*line[:-1], int(actions[row])))


def transposed(
    games: RandomGames, ply: Ply, generator: np.random.Generator, label: Label, differ: Differ
) -> Iterator[Pair]:
    """Pairs of positions after moves a, x, b and after b, x, a, where both orders are possible."""
    begin = ply.before.of(ply.before.states[:BRANCHED_PER_PLY])
    first, second = (chosen(ply.legal[: len(begin.states)], generator) for _ in range(2))
    between, going = played(begin, np.arange(len(begin.states)), first)
    legal = between.legal()
    going = going[legal[going].any(axis=1)]  # rules that are wrong may leave a player without a move
    if not len(going):
        return
    middle = np.zeros(len(begin.states), np.int64)
    middle[going] = chosen(legal[going], generator)
    going = going[first[going] != second[going]]
    ends = []
    for line in ((first, middle, second), (second, middle, first)):
        end = begin.of(begin.states)
        for actions in line:
            end, going = played(end, going, actions)
        ends.append(end.states)
    one, two = (begin.of(end[going]) for end in ends)
    for at in places_alike(one, two, label, differ):
        row = int(going[at])
        before = games.moves(int(ply.games[row]), ply.number)
        a, x, b = int(first[row]), int(middle[row]), int(second[row])
        yield Pair(one.states[at], two.states[at], (*before, a, x, b), (*before, b, x, a))


def places_alike(one: Positions, two: Positions, label: Label, differ: Differ) -> NDArray[np.int64]:
    """Which of N pairs of positions are alike and differ."""
    same = (label(one) == label(two)).all(axis=1)
    return np.flatnonzero(same & differ(one.states, two.states))


def played(
    positions: Positions, rows: NDArray[np.int64], actions: NDArray[np.int64]
) -> tuple[Positions, NDArray[np.int64]]:
    """The positions after one of `actions` [R] in each of `rows`, where it is legal, and those rows that are still open."""
    legal = positions.legal()[rows, actions[rows]]
    rows = rows[legal]
    after = positions.of(positions.states)
    after.play(rows, actions[rows])
    return after, rows[after.winner[rows] == OPEN]


@dataclass(frozen=True)
class Effects:
    """Every move of both positions of the compared pairs, M in all. The legal moves of both are the same."""

    pair: NDArray[np.int64]
    """[M] which pair"""
    actions: NDArray[np.int64]
    """[M]"""
    after_one: Positions
    after_two: Positions
    """The M positions after the moves."""
    differs: NDArray[np.bool_]
    """[M] whether the results, or what the positions after the move show, differ."""

    @property
    def other_result(self) -> NDArray[np.bool_]:
        """[M] whether the results differ."""
        return np.not_equal(self.after_one.winner, self.after_two.winner)


def effects(one: Positions, two: Positions) -> Effects:
    """What the moves of the first positions do there and in the second ones, in as many pairs as fit MOST_NUMBERS.

    They are spread over all pairs, because those of later plies come later.
    """
    numbers = int(one.legal().sum()) * (one.game.obs_size + one.game.state_words)
    compared = np.arange(0, len(one.states), max(1, -(-numbers // MOST_NUMBERS)))
    at, actions, after_one = one.of(one.states[compared]).successors()
    pair = compared[at]
    after_two = two.of(two.states[pair])
    after_two.play(np.arange(len(pair)), actions)
    views = (after_one.observation() != after_two.observation()).any(axis=1)
    differs = views | (after_one.winner != after_two.winner)
    return Effects(pair, actions, after_one, after_two, differs)


@dataclass(frozen=True)
class Parting:
    """Two positions that looked alike, and the same moves after which they don't."""

    pair: int
    moves: Moves
    winner_one: int
    winner_two: int


def parting(
    one: Positions,
    two: Positions,
    plies: NDArray[np.int64],
    generator: np.random.Generator,
    results_alone: bool = False,
) -> Parting | None:
    """The first pair of R that parts if the same moves are played in both; None if none does within `plies` [R].

    Moves are random among those after which the deciding words still differ, so that a counter runs on until it counts.
    Pairs that `effects` leaves out of its sample are not played on. `results_alone`: pairs part by other results, not by
    what they show; a pair whose legal moves differ is left out.
    """
    key = one.game.deciding_words
    pairs, lines = np.arange(len(one.states)), np.zeros((len(one.states), 0), np.int64)
    while True:
        going = (lines.shape[1] < plies[pairs]) & (one.winner == OPEN) & (two.winner == OPEN)
        if results_alone:
            going &= (one.legal() == two.legal()).all(axis=1)
        pairs, lines, one, two = pairs[going], lines[going], one.of(one.states[going]), two.of(two.states[going])
        if not len(pairs):
            return None
        found = effects(one, two)
        parts = found.other_result if results_alone else found.differs
        for move in np.flatnonzero(parts)[:1]:
            at = found.pair[move]
            moves = (*lines[at].tolist(), int(found.actions[move]))
            winners = (int(after.winner[move]) for after in (found.after_one, found.after_two))
            return Parting(int(pairs[at]), moves, *winners)
        kept = np.zeros((len(pairs), one.game.num_actions), np.bool_)
        differ = (found.after_one.states[:, :key] != found.after_two.states[:, :key]).any(axis=1)
        kept[found.pair[differ], found.actions[differ]] = True
        going = kept.any(axis=1)
        pairs, lines, one, two = pairs[going], lines[going], one.of(one.states[going]), two.of(two.states[going])
        actions = chosen(kept[going], generator)
        for positions in (one, two):
            positions.play(np.arange(len(pairs)), actions)
        lines = np.column_stack([lines, actions])
