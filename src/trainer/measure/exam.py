"""An exam: positions whose moves are all scored by a solver, in kinds. R positions, A actions.

Tic-tac-toe is examined on every unfinished position. For Connect 4 there is a stored set, `connect4_positions.csv`, made by
`python -m trainer.measure.make_positions`: 1,000 positions of each of six kinds, a phase crossed with a difficulty.

    begin   at most 14 plies played        easy    best play ends the game within 14 plies
    middle  15 to 28                       medium  within 15 to 28
    end     29 or more                     hard    later

(the kinds of Pascal Pons' test sets, http://blog.gamesolver.org, with the bounds as written here). A draw ends with the
full board. The set is for measuring only: nothing may train on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.errors import GameError
from trainer.games.positions import Positions
from trainer.solvers import NOT_LEGAL, SOLVED_GAMES, Scores

CONNECT4_FILE = "connect4_positions.csv"
KINDS = ("end-easy", "middle-easy", "middle-medium", "begin-easy", "begin-medium", "begin-hard")
ALL = "all"
FULL_COLUMN = "."


@dataclass(frozen=True)
class Exam:
    """R scored positions."""

    positions: Positions
    scores: Scores
    """int8 [R, A], see `trainer.solvers`."""
    kinds: tuple[str, ...]
    """Names of the kinds."""
    kind: NDArray[np.int64]
    """[R] index into `kinds`."""

    def every(self, step: int) -> Exam:
        """One position in `step`, evenly from every kind."""
        part = slice(None, None, step)
        return Exam(self.positions.of(self.positions.states[part]), self.scores[part], self.kinds, self.kind[part])


class Scored(NamedTuple):
    """A line of the stored set."""

    kind: str
    moves: str
    """The columns played from the empty board, a digit each."""
    scores: tuple[int, ...]
    """The score of every column, NOT_LEGAL for a full one."""


def exam_of(env_id: str) -> Exam:
    """The exam of a game; it needs no solver to be installed. Raises GameError for a game that has none."""
    if env_id == "tictactoe":
        from trainer.solvers.exhaustive import ExhaustiveSolver

        solver = ExhaustiveSolver(env_id)
        positions = Positions(env_id, 0).of(solver.states)
        return Exam(positions, solver.scores(positions), (ALL,), np.zeros(len(solver.states), np.int64))
    if env_id == "connect4":
        lines = list(read_scored())
        positions = positions_after(env_id, [line.moves for line in lines])
        scores = np.array([line.scores for line in lines], np.int8)
        kind = np.array([KINDS.index(line.kind) for line in lines], np.int64)
        return Exam(positions, scores, KINDS, kind)
    raise GameError(
        f"the quality of single moves can't be measured in {env_id}, which has no solver; "
        f"it can in {', '.join(SOLVED_GAMES)}"
    )


def positions_after(env_id: str, moves: list[str]) -> Positions:
    """The positions after sequences of one-digit actions, played side by side."""
    positions = Positions(env_id, len(moves))
    for ply in range(max(map(len, moves), default=0)):
        rows = np.array([row for row, played in enumerate(moves) if len(played) > ply], np.int64)
        positions.play(rows, np.array([int(moves[row][ply]) for row in rows]))
    return positions


def read_scored() -> Iterator[Scored]:
    """The lines of the stored set of Connect 4."""
    text = files("trainer.measure").joinpath(CONNECT4_FILE).read_text()
    for line in text.splitlines():
        if not line.startswith("#"):
            kind, moves, scores = line.split(",")
            yield Scored(
                kind, moves, tuple(NOT_LEGAL if score == FULL_COLUMN else int(score) for score in scores.split())
            )


def write_scored(comments: list[str], lines: list[Scored]) -> str:
    """The text of a stored set; `read_scored` reads it."""
    content = [f"# {comment}" for comment in comments]
    for kind, moves, scores in lines:
        shown = " ".join(FULL_COLUMN if score == NOT_LEGAL else str(score) for score in scores)
        content.append(f"{kind},{moves},{shown}")
    return "\n".join(content) + "\n"


def kind_of(plies: int, left: int) -> str:
    """The kind of a Connect 4 position after `plies` plies whose game lasts `left` more under best play."""
    phase = "begin" if plies <= 14 else "middle" if plies <= 28 else "end"
    difficulty = "easy" if left <= 14 else "medium" if left <= 28 else "hard"
    return f"{phase}-{difficulty}"
