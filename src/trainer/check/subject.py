"""The game under check: its rules at compiled speed with bounds checks, and uncompiled."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trainer.check import probes
from trainer.compile.linker import Linked
from trainer.games.base import Board, Mask, State
from trainer.games.kernels import link_kernels
from trainer.games.library import find_game
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.settings.check import CheckConfig


class Subject:
    """A game, and how thoroughly it is to be checked."""

    def __init__(self, name: str, games: int = CheckConfig.games, seed: int = 0) -> None:
        """Raises GameError if there is no game of that name."""
        self.found = find_game(name)
        self.game = self.found.game
        self.games = games
        self.seed = seed

    @property
    def env_id(self) -> str:
        """The name by which this process finds the game."""
        return self.game.env_id

    def has(self, function: str) -> bool:
        """Whether the game's own file has a function."""
        return hasattr(self.found.own, function)

    @cached_property
    def kernels(self) -> Linked:
        """The compiled `rules`, `rows` and `probes`."""
        return link_kernels(self.env_id, probes)

    def first(self, rows: int) -> Positions:
        """First positions."""
        return Positions(self.env_id, rows)

    def games_within(self, numbers: int, per_ply: int) -> int:
        """How many games may be played if a position has `per_ply` numbers and all of them together may have `numbers`."""
        plies = min(self.game.max_plies, 3 * self.game.usual_plies)
        return int(np.clip(numbers // max(1, per_ply * plies), 10, self.games))

    def games_worth(self, numbers: int, per_ply: int) -> int:
        """The same where numbers cost time: whoever asks for n times the usual number of games has n times as much."""
        return self.games_within(int(numbers * max(1, self.games / CheckConfig.games)), per_ply)

    def cells(self, states: State, garbage: int = 0) -> Board:
        """uint8 [R, cells]; what `cells` doesn't write stays `garbage`."""
        boards = np.full((len(states), self.game.num_cells), garbage, np.uint8)
        self.kernels.probes.cells(states, boards)
        return boards

    def legal(self, states: State, garbage: bool = False) -> Mask:
        """bool [R, A]; what `legal` doesn't write stays `garbage`."""
        mask = np.full((len(states), self.game.num_actions), garbage, np.bool_)
        self.kernels.rows.legal(states, mask, np.zeros(self.game.num_actions, np.int32))
        return mask

    def moves_allowed(self, states: State) -> NDArray[np.int64]:
        """[R] how many moves the game's own file allows, also if they are more than `max_moves`."""
        counts = np.zeros(len(states), np.int64)
        mask, found = np.zeros(self.game.num_actions, np.bool_), np.zeros(self.game.num_actions, np.int32)
        self.kernels.probes.count_moves(states, mask, found, counts)
        return counts

    def restored(self, stored: Board) -> State:
        """The positions of state blobs, uint64 [R, S]."""
        states = np.zeros((len(stored), self.game.state_words), np.uint64)
        self.kernels.probes.restore(np.ascontiguousarray(stored), states)
        return states

    def plain(self, moves: tuple[int, ...]) -> Position:
        """The position after some moves, by the uncompiled rules."""
        position = Position.first(self.found.rules)
        for action in moves:
            position = position.after(action)
        return position

    def numbers(self, *more: int) -> np.random.Generator:
        """Random numbers that are the same at every run."""
        return np.random.default_rng([self.seed, *more])


def chosen(mask: Mask, generator: np.random.Generator) -> NDArray[np.int64]:
    """A random True place of each row of `mask` [R, A]; each row must have one."""
    rows, places = np.nonzero(mask)
    counts = np.bincount(rows, minlength=len(mask))
    begins = np.cumsum(counts) - counts
    picked: NDArray[np.int64] = places[begins + (generator.random(len(mask)) * counts).astype(np.int64)]
    return picked
