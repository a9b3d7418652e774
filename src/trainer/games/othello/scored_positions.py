"""The scored positions of Othello: a stored set, `endgames.csv`, made by `python tools/othello_positions.py`.

It has 500 positions of each of two kinds, all with 12 empty cells: after random play, and after play by UCT with 100
rollouts. Each line of the file is a kind, the actions played from the first position in two digits each, and the legal
actions with their scores:

    rollouts,194334...,5:-12 14:4 60:-2

A score is the final difference in discs under best play (see `endgame.py`). Lines that start with # are comments.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer.core.errors import ConfigError
from trainer.games.othello.rules import GAME
from trainer.games.solving.scored_positions import ScoredPositions, positions_after
from trainer.games.solving.solver import NOT_LEGAL

FILE = "endgames.csv"
KINDS = ("random", "rollouts")
QUICK_STRIDE = 2
DIGITS = 2


class ScoredEndgame(NamedTuple):
    """A line of the file."""

    kind: str
    actions: tuple[int, ...]
    """From the first position."""
    scores: tuple[tuple[int, int], ...]
    """Each legal action with its score, ascending."""


def scored_positions(file: Path | None) -> ScoredPositions:
    """The stored set. Raises ConfigError for another file, because only Connect 4 has a command that makes one."""
    if file:
        raise ConfigError(
            f"othello is measured on a stored set of positions, not on those of {file}; leave out --positions"
        )
    endgames = read_endgames()
    positions = positions_after(GAME.env_id, [endgame.actions for endgame in endgames])
    scores = np.full((len(endgames), GAME.num_actions), NOT_LEGAL, np.int8)
    for row, endgame in enumerate(endgames):
        for action, score in endgame.scores:
            scores[row, action] = score
    kind = np.array([KINDS.index(endgame.kind) for endgame in endgames], np.int64)
    return ScoredPositions(positions, scores, KINDS, kind, QUICK_STRIDE)


def read_endgames() -> list[ScoredEndgame]:
    """The lines of the stored set."""
    lines = files(__package__ or "").joinpath(FILE).read_text().splitlines()
    return [parse_line(line) for line in lines if not line.startswith("#")]


def parse_line(line: str) -> ScoredEndgame:
    """One line of the file."""
    kind, played, scored = line.split(",")
    actions = tuple(int(played[at : at + DIGITS]) for at in range(0, len(played), DIGITS))
    pairs = [pair.split(":") for pair in scored.split()]
    return ScoredEndgame(kind, actions, tuple((int(action), int(score)) for action, score in pairs))


def file_text(comments: list[str], endgames: list[ScoredEndgame]) -> str:
    """The text of a file that `read_endgames` reads."""
    content = [f"# {comment}" for comment in comments]
    for kind, actions, scores in endgames:
        played = "".join(f"{action:0{DIGITS}d}" for action in actions)
        content.append(f"{kind},{played},{' '.join(f'{action}:{score}' for action, score in scores)}")
    return "\n".join(content) + "\n"
