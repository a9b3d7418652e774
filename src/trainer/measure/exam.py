"""An exam: positions whose moves are all scored by a solver, in kinds. R positions, A actions.

Tic-tac-toe is examined on every unfinished position. For Connect 4 there is a stored set, `test_positions.csv`, made by
`python -m trainer.measure.make_positions`: 1,000 positions of each of six kinds, a phase crossed with a difficulty.

    begin   at most 14 plies played        easy    best play ends the game within 14 plies
    middle  15 to 28                       medium  within 15 to 28
    end     29 or more                     hard    later

(the kinds of Pascal Pons' test sets, http://blog.gamesolver.org, with the bounds as written here). A draw ends with the
full board. The set is for measuring only: nothing may train on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ConfigError, GameError
from trainer.games.positions import Positions
from trainer.games.solver import NOT_LEGAL, SOLVED_GAMES, Scores

CONNECT4_FILE = "test_positions.csv"
KINDS = ("end-easy", "middle-easy", "middle-medium", "begin-easy", "begin-medium", "begin-hard")
ALL = "all"
FULL_COLUMN = "."
COLUMNS = set("0123456")
MAKE = "python -m trainer.measure.make_positions --output FILE"


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


def exam_of(env_id: str, file: Path | None = None) -> Exam:
    """The exam of a game, Connect 4's from another file if one is given; it needs no solver to be installed.

    Raises GameError for a game that has none, ConfigError for a file that can't be used.
    """
    if env_id == "tictactoe":
        from trainer.games.exhaustive import ExhaustiveSolver

        solver = ExhaustiveSolver(env_id)
        positions = Positions(env_id, 0).of(solver.states)
        return Exam(positions, solver.scores(positions), (ALL,), np.zeros(len(solver.states), np.int64))
    if env_id == "connect4":
        lines = read_scored(file)
        positions = positions_after(env_id, [line.moves for line in lines])
        scores = np.array([line.scores for line in lines], np.int8)
        kind = np.array([KINDS.index(line.kind) for line in lines], np.int64)
        legal = positions.legal()
        if not lines or not legal.any(axis=1).all():
            raise ConfigError(f"{file} has no positions, or finished ones; make such a file by {MAKE}")
        if not np.array_equal(scores != NOT_LEGAL, legal):
            raise ConfigError(
                f"{file} has scores for other moves than those that are legal; make such a file by {MAKE}"
            )
        return Exam(positions, scores, KINDS, kind)
    raise GameError(
        f"the quality of single moves can't be measured in {env_id}, which has no solver; "
        f"it can in {', '.join(SOLVED_GAMES)}"
    )


def positions_after(env_id: str, moves: list[str]) -> Positions:
    """The positions after sequences of one-digit actions, played side by side. Raises ConfigError for an illegal one."""
    positions = Positions(env_id, len(moves))
    for ply in range(max(map(len, moves), default=0)):
        rows = np.array([row for row, played in enumerate(moves) if len(played) > ply], np.int64)
        actions = np.array([int(moves[row][ply]) for row in rows])
        possible = positions.legal()[rows, actions]
        if not possible.all():
            raise ConfigError(f"the moves {moves[rows[possible.argmin()]]} can't be played from the first position")
        positions.play(rows, actions)
    return positions


def read_scored(file: Path | None = None) -> list[Scored]:
    """The lines of the stored set of Connect 4, or of another one. Raises ConfigError."""
    try:
        text = (file or files("trainer.games.connect4").joinpath(CONNECT4_FILE)).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"the positions in {file} can't be read ({reason}); make such a file by {MAKE}") from error
    return [
        parse_scored(line, f"line {number} of {file}")
        for number, line in enumerate(text.splitlines(), 1)
        if not line.startswith("#")
    ]


def parse_scored(line: str, where: str) -> Scored:
    """A line of a set. Raises ConfigError for one that isn't."""
    try:
        kind, moves, scores = line.split(",")
        scored = Scored(kind, moves, tuple(NOT_LEGAL if s == FULL_COLUMN else int(s) for s in scores.split()))
    except ValueError:
        scored = Scored("", "", ())
    fits = len(scored.scores) == len(COLUMNS) and all(NOT_LEGAL <= score < -NOT_LEGAL for score in scored.scores)
    if scored.kind not in KINDS or set(scored.moves) - COLUMNS or not fits:
        raise ConfigError(f"{where} isn't a kind, the columns played and seven scores; make such a file by {MAKE}")
    return scored


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
