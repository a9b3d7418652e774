"""What the rules of a game are: the layout of a position, the functions, the game's dimensions.

The rules are a module with a `GAME` and plain functions over one position. A position is a row of uint64 words, of which the
first two mean the same in every game:

    state[MOVER]    1 or 2, the player to move; in a finished position the player who moved last
    state[WINNER]   OPEN, FIRST, SECOND or DRAW
    state[2:]       `flag_words` words below 256, then the words of the board, then `raw_words` words

Two functions are enough. Every other one has a default:

    play(state, action)         change the position by a legal action; leave MOVER as it is if the same player moves again
    legal(state, mask)          mask[a] = True if action a may be played, else False; none may once the game is over
    moves(state, found)         in place of `legal`: write the legal actions to `found` int32 [actions], ascending, and
                                return how many there are

    start(state)                write the first position                      default: zeros, player 1 to move
    cells(state, board)         write the code of each cell to board uint8    default: a word of the board is a cell's code
    from_cells(board, state)    the inverse: write the board's words           default: likewise
    features(state, out)        write what the network sees, 0 or 1, to       default: plane 0 shows the cells of code 1,
                                out uint8 [planes * cells + features]         plane 1 those of code 2
    wins_next(state, mask)      whether one of the legal moves, those of      default: search doesn't look
                                `mask`, wins at once

Code 0 is an empty cell, 1 the first player's, 2 the second player's; a game can have further codes. The flags, the board's
cells and the raw words are all that is stored of a position, so `from_cells` restores the rest; it gets words that are 0.

These functions are compiled (see `kernels.py`); uncompiled they are the readable reference that tests play against. In
Numba, mixing uint64 and int64 gives a float, also in a quotient or a minimum. So write constants as
`np.uint64(...)` and indices as `int(...)`. Compiled, `int(...)` of a word is still unsigned; `np.int64(...)` is signed.
Three further functions are never compiled:

    name(state, action)         how people write a move                       default: its cells, a1 at the bottom left
    text(state)                 the position for people                       default: the board, row by row
    score(state)                the points of the first player and of the     default: the page shows no points
                                second, as a tuple

The page labels rows and columns by the names that `name` gives to actions of one cell in the first position, legal or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import index
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.games.symmetry import Symmetry, as_tuple

MOVER, WINNER, FLAGS = 0, 1, 2
OPEN, FIRST, SECOND, DRAW = 0, 1, 2, 3
LARGEST_ROW = 4096
"""Bytes of a row of the replay contract above which a game's rows are packed."""
MOST_COUNTED = 32_767
"""The most legal moves of a position that search can count."""
BOARD_TYPES = ("grid", "drop_column", "hex", "edges", "pieces", "points")
"""How the page can draw a board."""
State = NDArray[np.uint64]
Board = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Moves = NDArray[np.int32]
LATER = {"later": True}
"""Marks a field that games of earlier versions didn't have: while it has its default it isn't part of the rules' hash, so
their models and rows stay valid."""


def opponent_of(player: Any) -> Any:
    """The other player; for an array of players, of each the other."""
    return FIRST + SECOND - player


@dataclass(frozen=True)
class Seats:
    """How a position looks with the players exchanged, as tables; None: it stays as it is, except for the pieces' owners.

    The exchange must be its own inverse. The network sees every position as the first player's, so that it learns one game
    instead of two.
    """

    cells: tuple[int, ...] | None = None
    """Cell i of the exchanged board is cell cells[i] of the other: a flip, a transpose."""
    codes: tuple[int, ...] = (0, 2, 1)
    """Code k becomes codes[k]. The smaller code of such a pair is the first player's; code k is nobody's if codes[k] = k."""
    planes: tuple[int, ...] | None = None
    """Plane p of the exchanged view is plane planes[p] of the other; None: planes 2n and 2n + 1 are exchanged."""
    features: tuple[int, ...] | None = None
    """Feature f of the exchanged view is feature features[f] of the other."""
    actions: tuple[int, ...] | None = None
    """Action a of the exchanged position is action actions[a] of the other."""

    def __post_init__(self) -> None:
        """Lists and arrays become tuples."""
        for name, table in list(vars(self).items()):
            object.__setattr__(self, name, None if table is None else as_tuple(table))


@dataclass(frozen=True, kw_only=True)
class Game:
    """The dimensions and names of one game; all other sizes follow from these."""

    env_id: str
    """The name under which rows and models are stored."""
    width: int
    height: int
    num_actions: int
    max_plies: int
    """No game is longer than this."""
    display_name: str = ""
    """Its name for people; empty: `env_id` with a capital letter."""
    description: str = ""
    state_words: int = 0
    """Words of a position; 0: the player, the winner, the flags, a word per cell, the raw words."""
    symmetries: tuple[Symmetry, ...] = ()
    """All of them, the identity first; empty: there is no other."""
    flag_words: int = 0
    """Words after the first two that are stored as one byte each."""
    raw_words: int = 0
    """Words at the end of the state that are stored as they are: what the cells can't restore, such as a history."""
    key_words: int = 0
    """How many words, from the first, determine a position's legal moves, its result and what the network sees. Search uses
    one evaluation for all positions that agree in them. Each word after them must be derived from these to save time, or
    read by no rule, or part of a history in raw words, which matters only for later positions. In a game with a history,
    search and solvers still keep such positions apart. 0: all words."""
    planes: int = 2
    """Planes of the board that the network sees."""
    features: int = 0
    """Further numbers that it sees, each 0 or 1."""
    seats: Seats | None = Seats()
    """How the players are exchanged; None: they can't be, so the network sees who moves."""
    kernel_side: int = 3
    """Side of the convolution kernel of a network of the family `conv`: the length of a line that wins, for example."""
    max_moves: int = 0
    """The most legal moves of a position; 0: as many as there are actions. If a position has more, only the first ones can
    be played, and nothing says so while a model is trained: `python -m trainer.check` looks for such positions."""
    typical_plies: int = 0
    """Moves of an ordinary game; 0: as many as there are cells. Random openings have up to half of these moves. In the
    first quarter, openings included, self-play doesn't always play the best move that it finds."""
    forced_wins: bool = field(default=False, metadata=LATER)
    """After each move that it tries at the root, search also looks whether the player to move then wins by force within
    three plies. It plays every move and every answer, so it suits games with few moves, and needs a fast `wins_next`."""
    player_names: tuple[str, str] = ("X", "O")
    """A player called Black, White, Red, Blue, Yellow or Green has pieces of that colour on the page."""
    player_symbols: tuple[str, str] = ("X", "O")
    symbols: str = ""
    """A character for each code of a cell; empty: `.` and the players' symbols. Where a player has several kinds of pieces
    and all are letters of chess (K, Q, R, B, N, P), the page draws chess pieces."""
    board_type: str = "grid"
    """How the page draws the board. "grid": squares; "drop_column": columns, and an action is a column; "hex": hexagons,
    each row half a cell further to the right, and the upper and lower sides in the first player's colour if `seats`
    exchanges cells; "edges": dots where row and column are even, boxes where both are odd, edges elsewhere; "pieces": a
    chequered board; "points": crossings of lines."""
    line: int = 0
    """The length of a straight line of one player's stones that wins, which the page marks; 0: no line wins."""
    bottom_row_first: bool = False
    """Row 0 is drawn at the bottom."""
    action_cells: tuple[tuple[int, ...], ...] = ()
    """The cells that one clicks on for each action, in order; none for a pass. Empty: action a is cell a, or column a."""

    def __post_init__(self) -> None:
        """Fill in the name and the words of a position. Raises ValueError if what the page draws doesn't fit the board."""
        numbers = tuple(tuple(map(index, cells)) for cells in self.action_cells)  # the page can't send those of NumPy
        object.__setattr__(self, "action_cells", numbers)
        if self.board_type not in BOARD_TYPES:
            raise ValueError(f"board_type is {self.board_type!r}; it must be one of {', '.join(BOARD_TYPES)}")
        if self.action_cells and len(self.action_cells) != self.num_actions:
            raise ValueError(
                f"action_cells has {len(self.action_cells)} entries and there are {self.num_actions} actions; a pass has ()"
            )
        for action, cells in enumerate(self.action_cells if self.num_cells > 0 else ()):  # a size of 0 is refused later
            if not all(0 <= cell < self.num_cells for cell in cells):
                last = self.num_cells - 1
                raise ValueError(f"action_cells says {cells} of action {action}; the board's cells are 0 to {last}")
        if len(self.player_names) != 2 or len(self.player_symbols) != 2:
            raise ValueError("player_names and player_symbols must have one entry for each of the two players")
        if not self.symbols and any(len(symbol) != 1 for symbol in self.player_symbols):
            raise ValueError(f"player_symbols is {self.player_symbols}; without symbols, each must be one character")
        if (most := self.max_moves or self.num_actions) > MOST_COUNTED:
            raise ValueError(
                f"a position may have {most:,} legal moves, but search counts to {MOST_COUNTED:,}; give max_moves"
            )
        words = FLAGS + self.flag_words + self.width * self.height + self.raw_words
        object.__setattr__(self, "display_name", self.display_name or self.env_id.capitalize())
        object.__setattr__(self, "state_words", self.state_words or words)
        if self.key_words > self.state_words:
            raise ValueError(f"key_words is {self.key_words}; a position has {self.state_words} words (state_words)")

    def name_of(self, player: int) -> str:
        """The name of FIRST or SECOND."""
        return self.player_names[player - FIRST]

    @property
    def num_cells(self) -> int:
        """Cells of the board."""
        return self.width * self.height

    @property
    def num_targets(self) -> int:
        """Places of the board that one can click on: its cells, or its columns."""
        return self.width if self.board_type == "drop_column" else self.num_cells

    @property
    def legal_mask_offset(self) -> int:
        """Where the legal moves begin in an observation: after the planes and the features."""
        return self.planes * self.num_cells + self.features

    @property
    def obs_size(self) -> int:
        """Numbers in an observation: planes, features, the legal moves, two flags for the player to move."""
        return self.legal_mask_offset + self.num_actions + 2

    @property
    def state_bytes(self) -> int:
        """Bytes of a stored state: the cells, the player, the winner, the flags, the raw words."""
        return self.num_cells + 2 + self.flag_words + 8 * self.raw_words

    @property
    def packed_moves(self) -> int:
        """Numbers of a policy in a packed row, one for each legal move; 0: rows are not packed, because they are small."""
        return self.most_moves if self._plain_row_bytes > LARGEST_ROW else 0

    @property
    def row_bytes(self) -> int:
        """Bytes of a stored row: two states, two observations, the policy and the action.

        In packed form an observation has a bit per number, and a policy only the legal moves.
        """
        if not self.packed_moves:
            return self._plain_row_bytes + 4
        return 2 * self.state_bytes + 2 * -(-self.obs_size // 8) + 4 * self.packed_moves + 4

    @property
    def _plain_row_bytes(self) -> int:
        """Bytes of a row of the replay contract without its action."""
        return 4 * (2 * self.obs_size + self.num_actions) + 2 * self.state_bytes

    @property
    def most_moves(self) -> int:
        """The most legal moves of a position."""
        return min(self.max_moves or self.num_actions, self.num_actions)

    @property
    def few_legal(self) -> bool:
        """Whether so few actions are legal that logits are computed, and policies kept, for the legal ones alone."""
        return 4 * self.most_moves <= self.num_actions

    @property
    def policy_size(self) -> int:
        """Numbers of a policy in memory: one for each action, or one for each legal move and a spare one."""
        return self.most_moves + 1 if self.few_legal else self.num_actions

    @property
    def scratch_cells(self) -> int:
        """Numbers that a scratch board must have room for: the cells, or what the network sees of them."""
        return max(self.num_cells, self.legal_mask_offset)

    @property
    def usual_plies(self) -> int:
        """Moves of an ordinary game."""
        return min(self.typical_plies or self.num_cells, self.max_plies)

    @property
    def deciding_words(self) -> int:
        """The number of words, the first ones of a state, that decide what can be said of the position."""
        return self.key_words or self.state_words

    @property
    def history_begin(self) -> int:
        """The first raw word beyond the key; `state_words` if there is none."""
        return max(self.deciding_words, self.state_words - self.raw_words)

    @property
    def has_history(self) -> bool:
        """Whether later positions can depend on words that decide nothing of this one: raw words beyond the key."""
        return self.history_begin < self.state_words

    @property
    def lasting_words(self) -> int:
        """The number of words, the first ones, that also decide all later positions."""
        return self.state_words if self.has_history else self.deciding_words

    @property
    def cell_symbols(self) -> str:
        """A character for each code of a cell."""
        return self.symbols or "." + "".join(self.player_symbols)


class Rules(Protocol):
    """The module of a game's rules, complete, plain or compiled, as kernels see it."""

    GAME: Game
    start: Callable[[State], None]
    legal: Callable[[State, Mask, Moves], None]
    play: Callable[[State, int], None]
    cells: Callable[[State, Board], None]
    from_cells: Callable[[Board, State], None]
    features: Callable[[State, Board], None]
    wins_next: Callable[[State, Mask], bool]  # not in every game; kernels check SUDDEN_WINS or FORCED_WINS first
