"""One position of one game, for code in which clarity matters more than speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import FIRST, FLAGS, MOVER, SECOND, WINNER, Board, Game, State


@dataclass(frozen=True)
class Position:
    """One position of one game."""

    rules: Any
    """The game's module of rules, plain or compiled."""
    state: State
    """uint64 [S]"""

    @classmethod
    def first(cls, rules: Any) -> Position:
        """The position in which games start."""
        state = np.zeros(rules.GAME.state_words, np.uint64)
        rules.start(state)
        return cls(rules, state)

    @classmethod
    def from_bytes(cls, rules: Any, stored: bytes) -> Position:
        """The position in a state blob of the replay contract."""
        game: Game = rules.GAME
        numbers = np.frombuffer(stored, np.uint8)
        state = np.zeros(game.state_words, np.uint64)
        state[: FLAGS + game.flag_words] = numbers[game.num_cells :]
        rules.from_cells(numbers[: game.num_cells], state)
        return cls(rules, state)

    def to_bytes(self) -> bytes:
        """The state blob of the replay contract: cells, player, winner, flags."""
        words = self.state[: FLAGS + self.rules.GAME.flag_words]
        return self.cells.tobytes() + words.astype(np.uint8).tobytes()

    @property
    def mover(self) -> int:
        """The player to move, 1 or 2; in a finished game the one who moved last."""
        return int(self.state[MOVER])

    @property
    def winner(self) -> int:
        """OPEN, FIRST, SECOND or DRAW."""
        return int(self.state[WINNER])

    @property
    def legal(self) -> list[int]:
        """The actions that may be played, ascending; none in a finished game."""
        mask = np.zeros(self.rules.GAME.num_actions, np.bool_)
        self.rules.legal(self.state, mask)
        return [int(action) for action in np.flatnonzero(mask)]

    @property
    def cells(self) -> Board:
        """uint8 [cells]: 0 empty, 1 first player's, 2 second player's."""
        board = np.zeros(self.rules.GAME.num_cells, np.uint8)
        self.rules.cells(self.state, board)
        return board

    @property
    def observation(self) -> NDArray[np.float32]:
        """float32 [obs_size]: first player's pieces, second player's, legal moves, first to move, second to move."""
        game: Game = self.rules.GAME
        observation = np.zeros(game.obs_size, np.float32)
        cells = self.cells
        observation[: game.num_cells] = cells == FIRST
        observation[game.num_cells : game.legal_mask_offset] = cells == SECOND
        observation[[game.legal_mask_offset + action for action in self.legal]] = 1
        observation[self.mover - 3] = 1
        return observation

    def play(self, action: int) -> Position:
        """The position after `action`; this one doesn't change."""
        state = self.state.copy()
        self.rules.play(state, action)
        return Position(self.rules, state)

    def __str__(self) -> str:
        """The board as text, the top row first, `.` for an empty cell."""
        game: Game = self.rules.GAME
        rows = self.cells.reshape(game.height, game.width)
        symbols = (".", *game.player_symbols)
        lines = [" ".join(symbols[cell] for cell in row) for row in rows]
        return "\n".join(reversed(lines) if game.bottom_row_first else lines)
