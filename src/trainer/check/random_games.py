"""Random games of the game under check, played in lockstep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.check.subject import Subject, chosen
from trainer.games.base import OPEN, Mask
from trainer.games.positions import Positions

Choose = Callable[[Positions, Mask, np.random.Generator], NDArray[np.int64]]
"""Chooses a legal move in each position."""


@dataclass(frozen=True)
class Ply:
    """One move in every game that is still open. R open games."""

    number: int
    """Moves before it."""
    games: NDArray[np.int64]
    """[R] which games they are."""
    before: Positions
    legal: Mask
    """[R, A]"""
    actions: NDArray[np.int64]
    """[R]"""
    after: Positions


class RandomGames:
    """Games of random legal moves, the same ones at each run. Iterate over their plies, once."""

    def __init__(self, subject: Subject, count: int, choose: Choose | None = None) -> None:
        """`choose` picks the moves; by default all legal ones are equally likely."""
        self._subject = subject
        self._count = count
        self._choose = choose or (lambda positions, legal, generator: chosen(legal, generator))
        self._played: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self.games = np.arange(count)
        """[R] the games that are still open."""
        self.positions: Positions | None = None
        """Their positions."""
        self.stuck: tuple[int, ...] | None = None
        """The moves of a game that is open although no move is legal; None: there was none."""
        self.actions: NDArray[np.int64] | None = None
        """[R] The moves chosen there; None: not yet."""

    def __iter__(self) -> Iterator[Ply]:
        generator = self._subject.numbers()
        self.positions = self._subject.first(self._count)
        for number in range(self._subject.game.max_plies):
            legal = self._subject.legal(self.positions.states)
            going, movable = self.positions.winner == OPEN, legal.any(axis=1)
            if self.stuck is None and (going & ~movable).any():
                self.stuck = self.moves(int(self.games[going & ~movable][0]))
            going &= movable
            self.games, legal = self.games[going], legal[going]
            self.positions = self.positions.of(self.positions.states[going])
            if not len(self.games):
                return
            self.actions = self._choose(self.positions, legal, generator)
            self._played.append((self.games, self.actions))  # before they are played, which may fail
            after = self.positions.of(self.positions.states)
            after.play(np.arange(len(self.games)), self.actions)
            yield Ply(number, self.games, self.positions, legal, self.actions, after)
            self.positions, self.actions = after, None

    def moves(self, game: int, plies: int | None = None) -> tuple[int, ...]:
        """The first moves of a game that have been played, `plies` of them or all."""
        line = []
        for games, actions in self._played[:plies]:
            at = np.searchsorted(games, game)
            if at == len(games) or games[at] != game:
                break
            line.append(int(actions[at]))
        return tuple(line)
