"""Many positions of one game, played in parallel at compiled speed. R rows, S state words, A actions."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.games import game_of
from trainer.games.base import MOVER, WINNER, Board, Mask, State
from trainer.games.kernels import link_kernels


class Positions:
    """R positions of a game, each a row of `states` [R, S]. A new object holds first positions."""

    def __init__(self, env_id: str, rows: int) -> None:
        self.game = game_of(env_id)
        self.states: State = np.zeros((rows, self.game.state_words), np.uint64)
        self._rows = link_kernels(env_id, warm_up=self._warm_up).rows
        self._rows.start(self.states)

    @property
    def mover(self) -> NDArray[np.int64]:
        """[R] the player to move, 1 or 2; in a finished game the player who moved last. A copy."""
        return self.states[:, MOVER].astype(np.int64)

    @property
    def winner(self) -> NDArray[np.int64]:
        """[R] OPEN, FIRST, SECOND or DRAW. A copy."""
        return self.states[:, WINNER].astype(np.int64)

    def play(self, rows: NDArray[np.int64], actions: NDArray[np.int64]) -> None:
        """Play one action in each of the given rows.

        Nothing is checked: no row may be given twice, no game may be over, and each action must be legal in its row.
        """
        states = self.states[rows]
        self._rows.play(states, np.ascontiguousarray(actions, np.int64))
        self.states[rows] = states

    def replay(self, row: int, actions: Sequence[int]) -> None:
        """Play a sequence of actions in one row."""
        for action in actions:
            self.play(np.array([row]), np.array([action]))

    def successors(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Positions]:
        """Every legal move of every row: the rows [M], the actions [M], and the positions after them."""
        rows, actions = np.nonzero(self.legal())
        after = self._holding(self.states[rows])
        after.play(np.arange(len(rows)), actions)
        return rows, actions, after

    def legal(self) -> Mask:
        """bool [R, A]: True = may be played."""
        mask = np.empty((len(self.states), self.game.num_actions), np.bool_)
        self._rows.legal(self.states, mask, np.empty(self.game.num_actions, np.int32))
        return mask

    def observation(self) -> NDArray[np.float32]:
        """float32 [R, obs_size]: the observations of the replay contract."""
        observation = np.empty((len(self.states), self.game.obs_size), np.float32)
        board, mask = np.empty(self.game.scratch_cells, np.uint8), np.empty(self.game.num_actions, np.bool_)
        self._rows.observe(self.states, observation, board, mask, np.empty(self.game.num_actions, np.int32))
        return observation

    def stored(self) -> Board:
        """uint8 [R, state_bytes]: the state blobs of the replay contract."""
        stored = np.empty((len(self.states), self.game.state_bytes), np.uint8)
        self._rows.store(self.states, stored, np.empty(self.game.num_cells, np.uint8))
        return stored

    def of(self, states: State) -> Positions:
        """Other positions of the same game, uint64 [any number, S]. They are copied."""
        return self._holding(np.array(states, np.uint64, order="C"))

    def _holding(self, states: State) -> Positions:
        """Positions that share the memory of `states`."""
        other = copy(self)
        other.states = states
        return other

    def _warm_up(self, linked: Linked) -> None:
        """Call each kernel once."""
        self._rows = linked.rows
        self._rows.start(self.states)
        self.legal()
        self.observation()
        self.stored()
        self._rows.play(self.states[:0], np.zeros(0, np.int64))
