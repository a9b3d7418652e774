"""The scored positions of Connect 4: a stored set, `test_positions.csv`, made by `python -m trainer.measure.make_positions`.

It has 1,000 positions of each of six kinds. A kind is a phase and a difficulty:

    begin   at most 14 plies played        easy    best play ends the game within 14 plies
    middle  15 to 28                       medium  within 15 to 28
    end     29 or more                     hard    later

(the kinds of Pascal Pons' test sets, http://blog.gamesolver.org, with the bounds as written here). A draw ends when the
board is full.

Each line of the file is a kind, the columns played from the empty board, and the score of every column:

    begin-hard,0361,-3 -1 -3 -2 -3 -5 -4

A full column has a dot instead of a score. Lines that start with # are comments.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer.core.errors import ConfigError
from trainer.games.positions import Positions
from trainer.games.solving.scored_positions import ScoredPositions, positions_after
from trainer.games.solving.solver import NOT_LEGAL

FILE = "test_positions.csv"
KINDS = ("end-easy", "middle-easy", "middle-medium", "begin-easy", "begin-medium", "begin-hard")
QUICK_STRIDE = 10
FULL_COLUMN = "."
COLUMNS = set("0123456")
REMEDY = "make such a file with python -m trainer.measure.make_positions --output FILE"


class ScoredLine(NamedTuple):
    """A line of the file."""

    kind: str
    moves: str
    """The columns played from the empty board, one digit each."""
    scores: tuple[int, ...]
    """The score of every column, NOT_LEGAL for a full one."""


def scored_positions(file: Path | None) -> ScoredPositions:
    """The stored set, or that of another file. Raises ConfigError for a file that can't be used."""
    lines = read_lines(file)
    positions: Positions = positions_after("connect4", [line.moves for line in lines])
    legal = positions.legal()
    if not lines or not legal.any(axis=1).all():
        raise ConfigError(f"{file} holds no positions, or finished ones; {REMEDY}")
    scores = np.array([line.scores for line in lines], np.int8)
    if not np.array_equal(scores != NOT_LEGAL, legal):
        raise ConfigError(f"{file} scores illegal moves, or lacks the scores of legal ones; {REMEDY}")
    kind = np.array([KINDS.index(line.kind) for line in lines], np.int64)
    return ScoredPositions(positions, scores, KINDS, kind, QUICK_STRIDE)


def read_lines(file: Path | None = None) -> list[ScoredLine]:
    """The lines of the stored set, or of another file. Raises ConfigError."""
    source = file or files("trainer.games.connect4").joinpath(FILE)
    try:
        text = source.read_bytes().decode("utf-8-sig")  # some editors begin a file with a byte-order mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"the positions in {source} can't be read ({reason}); {REMEDY}") from error
    return [
        parse_line(line, f"line {number} of {source}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]


def parse_line(line: str, where: str) -> ScoredLine:
    """One line of the file. Raises ConfigError if it isn't a kind, columns and seven scores."""
    try:
        kind, moves, scores = line.split(",")
        scored = ScoredLine(kind, moves, tuple(NOT_LEGAL if s == FULL_COLUMN else int(s) for s in scores.split()))
    except ValueError:
        scored = ScoredLine("", "", ())
    fits = len(scored.scores) == len(COLUMNS) and all(NOT_LEGAL <= score < -NOT_LEGAL for score in scored.scores)
    if scored.kind not in KINDS or set(scored.moves) - COLUMNS or not fits:
        raise ConfigError(f"{where} should be a kind, the columns played and seven scores, but is {line!r}; {REMEDY}")
    return scored


def file_text(comments: list[str], lines: list[ScoredLine]) -> str:
    """The text of a file that `read_lines` reads."""
    content = [f"# {comment}" for comment in comments]
    for kind, moves, scores in lines:
        shown = " ".join(FULL_COLUMN if score == NOT_LEGAL else str(score) for score in scores)
        content.append(f"{kind},{moves},{shown}")
    return "\n".join(content) + "\n"


def kind_of(plies: int, left: int) -> str:
    """The kind of a position after `plies` plies, in which best play lasts `left` more."""
    phase = "begin" if plies <= 14 else "middle" if plies <= 28 else "end"
    difficulty = "easy" if left <= 14 else "medium" if left <= 28 else "hard"
    return f"{phase}-{difficulty}"
