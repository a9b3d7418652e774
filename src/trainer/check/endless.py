"""Whether a position can come back in the same game: then the players may go round for ever, so `max_plies` can't hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import OPEN, Board
from trainer.games.positions import Positions

STARTS = 8
"""Positions from which a way back is looked for: the first one, and others of random games."""
DEPTH = 6
"""Moves that are looked ahead."""
MOST_TRIED = 5_000
"""Moves that are tried at each depth."""
MOST_WORDS = 8_000_000
"""Words of the positions that are held at once."""


@dataclass
class Graph:
    """The unfinished positions that were met, numbered from the start (0), and the moves between them."""

    numbers: dict[bytes, int] = field(default_factory=dict)
    parents: list[tuple[int, int]] = field(default_factory=list)
    """For each position the one from which it was met first, and the move."""
    moves: list[tuple[int, int, int]] = field(default_factory=list)
    """(from, move, to)"""

    def number(self, state: bytes, parent: int, action: int) -> int:
        """The number of a position; a new one has the next number."""
        number = self.numbers.setdefault(state, len(self.numbers))
        if number == len(self.parents):
            self.parents.append((parent, action))
        return number

    def line(self, number: int) -> tuple[int, ...]:
        """The moves from the start to a position."""
        actions: list[int] = []
        while number:
            number, action = self.parents[number]
            actions.append(action)
        return tuple(reversed(actions))

    def cycle(self) -> tuple[int, tuple[int, ...]] | None:
        """A position and the moves that lead from it back to it, if there are any."""
        begins, actions, ends = (np.array(column, np.int64) for column in zip(*self.moves, strict=True))
        while len(begins):
            onward = np.isin(ends, begins)  # a move to a position without moves is on no cycle
            if onward.all():
                break
            begins, actions, ends = begins[onward], actions[onward], ends[onward]
        else:
            return None
        following = {
            int(begin): (int(action), int(end)) for begin, action, end in zip(begins, actions, ends, strict=True)
        }
        number, seen = int(begins[0]), dict[int, int]()
        line: list[int] = []
        while number not in seen:
            seen[number] = len(line)
            action, number = following[number]
            line.append(action)
        return number, tuple(line[seen[number] :])


def check_endless(subject: Subject) -> list[Finding]:
    """Look for moves that lead back to a position of the same game, from the first position and some of random games."""
    for line, start in starts(subject):
        graph = explored(subject, start)
        found = graph.cycle() if graph.moves else None
        if found:
            number, back = found
            again = f"The last {len(back)} of these moves lead" if len(back) > 1 else "The last of these moves leads"
            before = "them" if len(back) > 1 else "it"
            return [
                Finding(
                    Level.FAILURE,
                    f"{again} back to the position before {before}, so a game can go on for ever, although GAME promises "
                    f"max_plies={subject.game.max_plies}. Count the moves without progress in a flag word, and let play "
                    "end the game when there are L of them in a row. If a game has at most P moves with progress, max_plies "
                    "is (P + 1) * L.",
                    (*line, *graph.line(number), *back),
                )
            ]
    return []


def starts(subject: Subject) -> list[tuple[tuple[int, ...], Positions]]:
    """The first position, and positions of random games, the later ones of each game later: their moves and themselves."""
    found: list[tuple[tuple[int, ...], Positions]] = [((), subject.first(1))]
    games = RandomGames(subject, STARTS - 1)
    step = max(1, subject.game.usual_plies // STARTS)
    for ply in games:
        game, rest = divmod(ply.number + 1, step)
        at = np.flatnonzero((ply.games == game - 1) & (ply.after.winner == OPEN)) if rest == 0 else ()
        found += [(games.moves(game - 1), ply.after.of(ply.after.states[row : row + 1])) for row in at]
    return found


def explored(subject: Subject, start: Positions) -> Graph:
    """The positions up to DEPTH moves after one. At each depth those most like the start come first, until MOST_TRIED moves
    are tried."""
    most = min(MOST_TRIED, MOST_WORDS // subject.game.state_words)
    graph, model = Graph(), subject.cells(start.states)[0]
    graph.number(start.states[0].tobytes(), 0, 0)
    numbers, positions = np.zeros(1, np.int64), start
    for _ in range(DEPTH):
        rows, actions, after = positions.successors()
        new: dict[int, int] = {}
        for row in np.flatnonzero(after.winner == OPEN).tolist():
            begin, action, known = int(numbers[rows[row]]), int(actions[row]), len(graph.numbers)
            end = graph.number(after.states[row].tobytes(), begin, action)
            graph.moves.append((begin, action, end))
            if end == known:
                new[row] = end
        states = after.states[list(new)]
        order = likest(subject.cells(states), model)[:most]
        tried = np.cumsum(subject.moves_allowed(states[order]))
        kept = order[tried <= max(most, tried[0] if len(tried) else 0)]
        if not len(kept):
            break
        numbers, positions = np.array(list(new.values()), np.int64)[kept], after.of(states[kept])
    return graph


def likest(boards: Board, model: Board) -> NDArray[np.int64]:
    """The order of boards [R, cells] by how many pieces of each kind they have more or less than `model`, then by the number
    of cells that differ: what has the same pieces may come back."""
    pieces = sum(np.abs((boards == code).sum(axis=1) - (model == code).sum()) for code in np.unique(model))
    return np.lexsort(((boards != model).sum(axis=1), pieces))
