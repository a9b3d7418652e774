"""Random games as lists of positions: what the tests of rules and of self-play look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from trainer.games import rules_of
from trainer.games.base import OPEN
from trainer.games.position import Position
from trainer.games.symmetry import Symmetry


@dataclass(frozen=True)
class Line:
    """A whole game: position p is the one that action p is played in, and the last one is finished."""

    positions: list[Position]
    actions: list[int]


def play_line(rules: Any, actions: list[int]) -> Line:
    """The positions that a list of actions leads through."""
    positions = [Position.first(rules)]
    for action in actions:
        positions.append(positions[-1].play(action))
    return Line(positions, actions)


def random_line(rules: Any, generator: np.random.Generator) -> Line:
    """A game of uniform draws among the legal moves."""
    positions, actions = [Position.first(rules)], []
    while positions[-1].winner == OPEN:
        actions.append(int(generator.choice(positions[-1].legal)))
        positions.append(positions[-1].play(actions[-1]))
    return Line(positions, actions)


@cache
def random_lines(env_id: str, games: int) -> list[Line]:
    """The same random games at each call, played by the plain functions."""
    return [random_line(rules_of(env_id), np.random.default_rng([7, game])) for game in range(games)]


def transformed(position: Position, symmetry: Symmetry) -> Position:
    """The position as a symmetry sees it, built from its cells."""
    state = position.state.copy()
    position.rules.from_cells(position.cells[list(symmetry.cells)], state)
    return Position(position.rules, state)
