"""Random games as lists of positions, for tests of rules and of self-play."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from trainer.games import rules_of
from trainer.games.base import OPEN, State
from trainer.games.position import Position
from trainer.games.symmetry import Symmetry


@dataclass(frozen=True)
class Line:
    """A whole game. `actions[p]` is played in `positions[p]`, and the last position is finished."""

    positions: list[Position]
    actions: list[int]


def play_line(rules: Any, actions: list[int]) -> Line:
    """The game that a list of actions makes."""
    positions = [Position.first(rules)]
    for action in actions:
        positions.append(positions[-1].play(action))
    return Line(positions, actions)


def random_line(rules: Any, generator: np.random.Generator) -> Line:
    """A game of random legal moves, drawn uniformly."""
    positions, actions = [Position.first(rules)], []
    while positions[-1].winner == OPEN:
        actions.append(int(generator.choice(positions[-1].legal)))
        positions.append(positions[-1].play(actions[-1]))
    return Line(positions, actions)


def random_lines(env_id: str, games: int) -> list[Line]:
    """Random games, the same ones at each call, played by the uncompiled rules."""
    return [numbered_line(env_id, number) for number in range(games)]


@cache
def numbered_line(env_id: str, number: int) -> Line:
    """Random game `number`, played once."""
    return random_line(rules_of(env_id), np.random.default_rng([7, number]))


def transformed(position: Position, symmetry: Symmetry) -> Position:
    """The position after a symmetry, built from its cells."""
    state = position.state.copy()
    position.rules.from_cells(position.cells[list(symmetry.cells)], state)
    return Position(position.rules, state)


def some_positions(env_id: str, number: int) -> State:
    """Unfinished positions of random games, from the first ply to the last, uint64 [number, S]."""
    positions = [position for line in random_lines(env_id, 20) for position in line.positions[:-1]]
    chosen = np.random.default_rng(3).choice(len(positions), number, replace=False)
    return np.array([positions[each].state for each in chosen])
