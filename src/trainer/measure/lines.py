"""Every line of play against a player, for games with few enough lines to play them all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.games import game_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND, opponent_of
from trainer.games.positions import Positions
from trainer.players import Player

MOST_LINES = 100_000
"""A game has few lines if its dimensions allow no more than this from one seat. Tic-tac-toe has at most 945."""


@dataclass(frozen=True)
class Lines:
    """The results of all lines for the player, if the opponent tries everything."""

    won: int
    drawn: int
    lost: int

    def __str__(self) -> str:
        return f"{self.won} won, {self.drawn} drawn, {self.lost} lost"


@dataclass(frozen=True)
class BothSeats:
    """The results of all lines from either seat."""

    player: str
    as_first: Lines
    as_second: Lines

    def __str__(self) -> str:
        return f"Every line of play, {self.player}: as first {self.as_first}; as second {self.as_second}"


def has_few_lines(env_id: str) -> bool:
    """Whether all lines of a game can be played.

    The bound is the number of actions for each move of the opponent, who is taken to make half the moves (rounded up).
    """
    game = game_of(env_id)
    bound: int = game.num_actions ** ((game.max_plies + 1) // 2)
    return bound <= MOST_LINES


def both_seats(env_id: str, name: str, player: Player) -> BothSeats:
    """Play all lines from either seat; `name` is what results call the player."""
    return BothSeats(name, every_line(env_id, player, FIRST), every_line(env_id, player, SECOND))


def every_line(env_id: str, player: Player, seat: int) -> Lines:
    """Play all lines: `player` has `seat` and makes its own moves, the other side tries every legal move."""
    generator = np.random.default_rng(0)
    positions = Positions(env_id, 1)
    ends: list[int] = []
    while len(positions.states):
        own = np.flatnonzero(positions.mover == seat)  # all rows or none, unless a player can move twice in a row
        ours = positions.of(positions.states[own])
        if len(own):
            ours.play(np.arange(len(own)), player.choose(ours, [generator] * len(own)))
        _, _, theirs = positions.of(positions.states[positions.mover != seat]).successors()
        positions = positions.of(np.concatenate([ours.states, theirs.states]))
        ends += positions.winner[positions.winner != OPEN].tolist()
        positions = positions.of(positions.states[positions.winner == OPEN])
    return Lines(won=ends.count(seat), drawn=ends.count(DRAW), lost=ends.count(opponent_of(seat)))
