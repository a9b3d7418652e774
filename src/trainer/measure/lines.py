"""Every line of play against a player, in a game that is small enough to walk them all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.positions import Positions
from trainer.players import Player

WALKABLE = ("tictactoe",)
"""The games whose lines are few enough: at most 945 from a seat."""


@dataclass(frozen=True)
class Lines:
    """How the lines end for the player, when the opponent tries everything."""

    won: int
    drawn: int
    lost: int

    def __str__(self) -> str:
        return f"{self.won} won, {self.drawn} drawn, {self.lost} lost"


@dataclass(frozen=True)
class BothSeats:
    """All lines against a player."""

    player: str
    as_first: Lines
    as_second: Lines

    def __str__(self) -> str:
        return f"Every line of play, {self.player}: as first {self.as_first}; as second {self.as_second}"


def both_seats(env_id: str, name: str, player: Player) -> BothSeats:
    """Walk all lines from either seat; `name` is how results call the player."""
    return BothSeats(name, every_line(env_id, player, FIRST), every_line(env_id, player, SECOND))


def every_line(env_id: str, player: Player, seat: int, seed: int = 0) -> Lines:
    """Walk all lines in which `player` has `seat` and answers as it does, and the other side plays every legal move."""
    generator = np.random.default_rng(seed)
    positions = Positions(env_id, 1)
    ends: list[int] = []
    while len(positions.states):
        if positions.mover[0] == seat:  # in all rows alike, since players alternate
            rows = np.arange(len(positions.states))
            positions.play(rows, player.choose(positions, [generator] * len(rows)))
        else:
            _, _, positions = positions.successors()
        ends += positions.winner[positions.winner != OPEN].tolist()
        positions = positions.of(positions.states[positions.winner == OPEN])
    return Lines(ends.count(seat), ends.count(DRAW), ends.count(FIRST + SECOND - seat))
