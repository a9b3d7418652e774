"""One position of one game, for code in which clarity matters more than speed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import GameError
from trainer.games import rules_of
from trainer.games.base import DRAW, FIRST, FLAGS, MOVER, OPEN, SECOND, WINNER, Board, Game, State
from trainer.games.library.names import in_package
from trainer.games.library.parts import lines_of
from trainer.games.state_blob import StateBlob, parts_of

SHOWN = 12
"""The most legal actions that an error names."""


@dataclass(frozen=True, eq=False)
class Position:
    """One position of one game. Two are equal if their games and states are.

    What plain functions of somebody's own file raise becomes a GameError with the line.
    """

    rules: Any
    """The game's module of rules, plain or compiled. In both cases its `uncompiled` is the game's own file as plain Python,
    for `name`, `text` and `score` and for the functions that they call."""
    state: State
    """uint64 [S]"""

    @classmethod
    def first(cls, rules: Any) -> Position:
        """The position in which games start."""
        state = np.zeros(rules.GAME.state_words, np.uint64)
        with own_lines(rules):
            rules.start(state)
        return cls(rules, state)

    @classmethod
    def from_bytes(cls, rules: Any, stored: bytes) -> Position:
        """The position in a state blob of the replay contract."""
        game: Game = rules.GAME
        parts = parts_of(game, np.frombuffer(stored, np.uint8))
        state = np.zeros(game.state_words, np.uint64)
        state[: FLAGS + game.flag_words] = parts.words
        state[len(state) - game.raw_words :] = parts.raw
        with own_lines(rules):
            rules.from_cells(parts.cells, state)
        return cls(rules, state)

    def to_bytes(self) -> bytes:
        """The state blob of the replay contract: cells, player, winner, flags, raw words."""
        game: Game = self.rules.GAME
        words, raw = self.state[: FLAGS + game.flag_words], self.state[len(self.state) - game.raw_words :]
        parts = StateBlob(self.cells, words.astype(np.uint8), raw.astype("<u8"))
        return b"".join(part.tobytes() for part in parts)

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
        game: Game = self.rules.GAME
        mask = np.zeros(game.num_actions, np.bool_)
        with own_lines(self.rules):
            self.rules.legal(self.state, mask, np.zeros(game.num_actions, np.int32))
        return [int(action) for action in np.flatnonzero(mask)]

    @property
    def cells(self) -> Board:
        """uint8 [cells]: their codes; 0 is an empty cell, 1 the first player's, 2 the second's, and a game can have more."""
        board = np.zeros(self.rules.GAME.num_cells, np.uint8)
        with own_lines(self.rules):
            self.rules.cells(self.state, board)
        return board

    @property
    def observation(self) -> NDArray[np.float32]:
        """float32 [obs_size]: planes, features, legal moves, first to move, second to move."""
        game: Game = self.rules.GAME
        observation = np.zeros(game.obs_size, np.float32)
        if hasattr(self.rules.own, "features"):
            view = np.zeros(game.legal_mask_offset, np.uint8)
            with own_lines(self.rules):
                self.rules.features(self.state, view)
            observation[: game.legal_mask_offset] = view
        else:
            observation[: game.legal_mask_offset] = np.concatenate([self.cells == FIRST, self.cells == SECOND])
        observation[[game.legal_mask_offset + action for action in self.legal]] = 1
        observation[self.mover - 3] = 1
        return observation

    def play(self, action: int) -> Position:
        """The position after `action`; this one doesn't change. Raises GameError if the action isn't legal."""
        legal = self.legal
        if action not in legal:
            shown = listed(legal) or "none, because the game is over"
            raise GameError(f"action {action} is not legal here; legal are {shown}")
        return self.after(action)

    def after(self, action: int) -> Position:
        """The same, for an action that is known to be legal."""
        state = self.state.copy()
        # unsigned numbers wrap around in compiled code, without a warning
        with np.errstate(over="ignore"), own_lines(self.rules):
            self.rules.play(state, action)
        return Position(self.rules, state)

    def name(self, action: int) -> str:
        """How people write a move."""
        with own_lines(self.rules, uncompiled=True):
            return move_name(self.rules.GAME, self.rules.uncompiled, self.state, action)

    @property
    def score(self) -> tuple[float, float] | None:
        """The points of the first player and of the second; None if the game has no function for them."""
        if not hasattr(self.rules.own, "score"):
            return None
        state = self.state.copy()  # which the function may use as scratch memory
        with own_lines(self.rules, uncompiled=True):
            first, second = self.rules.uncompiled.score(state)
            return float(first), float(second)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Position) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle names the game, which the process that reads it must know, too."""
        return restored, (self.rules.GAME.env_id, self.state)

    @property
    def _content(self) -> tuple[str, bytes]:
        """What makes it another position than others."""
        return self.rules.GAME.env_id, self.state.tobytes()

    def __repr__(self) -> str:
        """The game, who is to move or how it ended, and the board below."""
        game: Game = self.rules.GAME
        standing = {OPEN: f"{game.name_of(self.mover)} to move", DRAW: "a draw"}
        return f"{game.env_id}, {standing.get(self.winner) or f'{game.name_of(self.winner)} won'}\n{self}"

    def __str__(self) -> str:
        """The board as text, the top row first, `.` for an empty cell."""
        game: Game = self.rules.GAME
        if hasattr(self.rules.own, "text"):
            with own_lines(self.rules, uncompiled=True):
                return str(self.rules.uncompiled.text(self.state))
        rows = self.cells.reshape(game.height, game.width)
        symbols = game.cell_symbols
        lines = [" ".join(symbols[cell] for cell in row) for row in rows]
        return "\n".join(reversed(lines) if game.bottom_row_first else lines)


def own_lines(rules: Any, uncompiled: bool = False) -> AbstractContextManager[None]:
    """A block that calls functions of `rules`, or of its `uncompiled`, and names the line of somebody's own file that fails.

    What compiled functions raise stays as it is, because they know no lines; so does a bug in a game of this package.
    """
    plain = getattr(rules, "uncompiled", None)
    if plain is None or (not uncompiled and rules.own is not plain):  # None: a bare module of rules
        return nullcontext()
    return lines_of(plain) if is_own(str(plain.__file__)) else nullcontext()


@cache
def is_own(file: str) -> bool:
    """Whether a file with rules is somebody's own, not one of this package."""
    return not in_package(Path(file))


def restored(env_id: str, state: State) -> Position:
    """The position of a pickle. Raises GameError for a game that this process doesn't know."""
    return Position(rules_of(env_id), state)


def listed(actions: Sequence[object]) -> str:
    """The first few of some actions, or of their names, as an error names them."""
    return ", ".join(map(str, actions[:SHOWN])) + (", ..." if len(actions) > SHOWN else "")


def move_name(game: Game, own: ModuleType, state: State, action: int) -> str:
    """How people write a move; `own` is the game's module of rules, uncompiled."""
    return str(own.name(state, action)) if hasattr(own, "name") else default_name(game, action)


def default_name(game: Game, action: int) -> str:
    """The name of a move by its cells: `e2e4`; a column's letter; "pass" if it has no cells and isn't a column."""
    if game.board_type == "drop_column" and not game.action_cells:
        return letters(action) if action < game.width else "pass"
    cells = game.action_cells[action] if game.action_cells else range(action, min(action + 1, game.num_cells))
    return "".join(cell_name(game, cell) for cell in cells) or "pass"


def cell_name(game: Game, cell: int) -> str:
    """The column's letter and the row's number, counted from the bottom of the board: a1, b1, ..."""
    row, column = divmod(cell, game.width)
    return f"{letters(column)}{row_number(game, row)}"


def row_number(game: Game, row: int) -> int:
    """The number that people give to a row, counted from the bottom of the board."""
    return row + 1 if game.bottom_row_first else game.height - row


def letters(column: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    before, last = divmod(column, 26)
    return (letters(before - 1) if before else "") + chr(ord("a") + last)
