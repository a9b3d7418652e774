"""What every game has in common: the layout of a position, its dimensions, its symmetries.

A game is one module of this folder. It holds a `GAME` and five plain functions over one position, a row of uint64
words whose first two mean the same in every game:

    state[MOVER]    1 or 2, the player to move; in a finished position the player who moved last
    state[WINNER]   OPEN, FIRST, SECOND or DRAW
    state[2:]       `flag_words` words that the stored state shows as bytes, then whatever the game likes

    start(state)              write the first position
    legal(state, mask)        mask[a] = True where action a may be played; none may when the game is over
    play(state, action)       change the position by a legal action
    cells(state, board)       board[c] = 0 empty, 1 first player's, 2 second player's
    from_cells(board, state)  the inverse, for the words after the flags

and, where a game can end by a move that a network may overlook, a sixth, which search asks at every new position:

    wins_next(state, mask)    whether one of the moves of `mask`, all that are legal, wins at once

The functions are compiled by `trainer.games.compiled`; uncompiled they are the readable reference that tests play
against. Numba turns a sum of uint64 and int64 into a float, so constants are `np.uint64` and indices `int(...)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MOVER, WINNER, FLAGS = 0, 1, 2
OPEN, FIRST, SECOND, DRAW = 0, 1, 2, 3

State = NDArray[np.uint64]
Board = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Symmetry:
    """A renaming of cells and actions that leaves the rules as they are.

    `cells[i]` is the cell of the old board that lands on cell i of the new one; `actions[a]` the old action that
    becomes action a. Applied to an array: `new = old[cells]`.
    """

    cells: tuple[int, ...]
    actions: tuple[int, ...]


@dataclass(frozen=True)
class Game:
    """The dimensions and words of one game; all other sizes follow from these."""

    env_id: str
    display_name: str
    description: str
    width: int
    height: int
    num_actions: int
    state_words: int
    max_plies: int
    """No game is longer than this."""
    symmetries: tuple[Symmetry, ...]
    """All of them, the identity first."""
    flag_words: int = 0
    player_names: tuple[str, str] = ("X", "O")
    player_symbols: tuple[str, str] = ("X", "O")
    board_type: str = "grid"
    """"grid": an action is a cell; "drop_column": an action is a column."""
    bottom_row_first: bool = False
    """Row 0 is drawn at the bottom."""

    @property
    def num_cells(self) -> int:
        """Cells of the board."""
        return self.width * self.height

    @property
    def legal_mask_offset(self) -> int:
        """Where the legal moves start in an observation: after the two planes of stones."""
        return 2 * self.num_cells

    @property
    def obs_size(self) -> int:
        """Numbers in an observation: two planes, the legal moves, two seat flags."""
        return self.legal_mask_offset + self.num_actions + 2

    @property
    def state_bytes(self) -> int:
        """Bytes of a stored state: the cells, the player, the winner, the flags."""
        return self.num_cells + 2 + self.flag_words


class Rules(Protocol):
    """A game's module, plain or compiled; the kernels are written against this."""

    GAME: Game
    start: Callable[[State], None]
    legal: Callable[[State, Mask], None]
    play: Callable[[State, int], None]
    cells: Callable[[State, Board], None]
    from_cells: Callable[[Board, State], None]
    wins_next: Callable[[State, Mask], bool]  # only some have it; kernels look at SUDDEN_WINS first


@dataclass(frozen=True)
class Position:
    """One position of one game, for code where clarity matters more than speed."""

    rules: Any
    state: State

    @classmethod
    def first(cls, rules: Any) -> Position:
        """The position that games start from."""
        state = np.zeros(rules.GAME.state_words, np.uint64)
        rules.start(state)
        return cls(rules, state)

    @classmethod
    def from_bytes(cls, rules: Any, stored: bytes) -> Position:
        """The position of a state blob of the replay contract."""
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
        """float32 [obs_size]: first's stones, second's stones, legal moves, first to move, second to move."""
        game: Game = self.rules.GAME
        observation = np.zeros(game.obs_size, np.float32)
        cells = self.cells
        observation[: game.num_cells] = cells == FIRST
        observation[game.num_cells : game.legal_mask_offset] = cells == SECOND
        observation[[game.legal_mask_offset + action for action in self.legal]] = 1
        observation[self.mover - 3] = 1
        return observation

    def play(self, action: int) -> Position:
        """The position after `action`; this one stays as it is."""
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


def square_symmetries(side: int, further_actions: int = 0) -> tuple[Symmetry, ...]:
    """The eight turns and reflections of a square board whose actions are its cells.

    `further_actions` actions after the cells (a pass) stay where they are.
    """
    board = np.arange(side * side).reshape(side, side)
    rest = tuple(range(side * side, side * side + further_actions))
    tables = []
    for reflected in (board, board.T):
        for turns in range(4):
            cells = tuple(int(cell) for cell in np.rot90(reflected, turns).ravel())
            tables.append(Symmetry(cells, cells + rest))
    return tuple(tables)


def column_symmetries(width: int, height: int) -> tuple[Symmetry, ...]:
    """The identity and the left-right reflection of a board whose actions are its columns."""
    board = np.arange(width * height).reshape(height, width)
    columns = tuple(range(width))
    return (
        Symmetry(tuple(range(width * height)), columns),
        Symmetry(tuple(int(cell) for cell in board[:, ::-1].ravel()), columns[::-1]),
    )
