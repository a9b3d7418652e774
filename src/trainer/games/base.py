"""What the rules of every game have in common: the layout of a position, and the game's dimensions.

The rules are a module, `<game>/rules.py`, with a `GAME` and five plain functions over one position. A position is a row of
uint64 words, of which the first two mean the same in every game:

    state[MOVER]    1 or 2, the player to move; in a finished position the player who moved last
    state[WINNER]   OPEN, FIRST, SECOND or DRAW
    state[2:]       `flag_words` words that are stored as bytes, then whatever the game needs

    start(state)              write the first position
    legal(state, mask)        mask[a] = True if action a may be played; none may once the game is over
    play(state, action)       change the position by a legal action
    cells(state, board)       board[c] = 0 empty, 1 first player's, 2 second player's
    from_cells(board, state)  the inverse, for the words after the flags

If a single move can end the game, which a network may overlook, there can be a sixth function. Search calls it in every new
position:

    wins_next(state, mask)    whether one of the legal moves, those of `mask`, wins at once

The functions are compiled (see `kernels.py`); uncompiled they are the readable reference that tests play against. In
compiled code the sum of a uint64 and an int64 is a float, so constants are `np.uint64` and indices `int(...)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.games.symmetry import Symmetry

MOVER, WINNER, FLAGS = 0, 1, 2
OPEN, FIRST, SECOND, DRAW = 0, 1, 2, 3

State = NDArray[np.uint64]
Board = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Game:
    """The dimensions and names of one game; all other sizes follow from these."""

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
        """Where the legal moves begin in an observation: after the two planes of pieces."""
        return 2 * self.num_cells

    @property
    def obs_size(self) -> int:
        """Numbers in an observation: two planes, the legal moves, two flags for the player to move."""
        return self.legal_mask_offset + self.num_actions + 2

    @property
    def state_bytes(self) -> int:
        """Bytes of a stored state: the cells, the player, the winner, the flags."""
        return self.num_cells + 2 + self.flag_words


class Rules(Protocol):
    """The module of a game's rules, plain or compiled, as kernels see it."""

    GAME: Game
    start: Callable[[State], None]
    legal: Callable[[State, Mask], None]
    play: Callable[[State, int], None]
    cells: Callable[[State, Board], None]
    from_cells: Callable[[Board, State], None]
    wins_next: Callable[[State, Mask], bool]  # not in every game; kernels check SUDDEN_WINS first
