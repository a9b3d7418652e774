"""What the numbers of an observation mean: planes, features, legal moves, seat flags; and how players are exchanged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import Game, Seats

Table = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """The layout of an observation: [planes * cells | features | legal moves | first to move, second to move]."""

    planes: int
    features: int
    height: int
    width: int
    num_actions: int
    exchange: Table | None
    """[numbers before the seat flags] Number i of the view of the second player, as if it were the first, is number
    exchange[i] of the observation. None: players can't be exchanged."""
    actions: Table | None
    """[A] Action a of that view is action actions[a]. None: it is action a."""
    kernel_side: int = 3
    """Side of the kernel of a convolutional stem."""
    few_legal: bool = False
    """Few actions are legal in any position; see `Game.few_legal`."""

    @property
    def cells(self) -> int:
        """Cells of the board."""
        return self.height * self.width

    @property
    def board_numbers(self) -> int:
        """Numbers of all planes."""
        return self.planes * self.cells

    @property
    def end(self) -> int:
        """Numbers before the seat flags."""
        return self.legal_begin + self.num_actions

    @property
    def legal_begin(self) -> int:
        """Where the legal moves begin, in an observation and in a network's view."""
        return self.board_numbers + self.features

    @property
    def view_size(self) -> int:
        """Numbers that a network sees: with the seat flags, if players can't be exchanged."""
        return self.end if self.exchange is not None else self.end + 2

    @property
    def swaps_planes(self) -> bool:
        """Whether the exchange is that of the replay contract: it swaps two planes and changes nothing else."""
        swapped = contract_exchange(self.cells, self.end)
        return self.planes == 2 and self.exchange is not None and np.array_equal(self.exchange, swapped)

    @classmethod
    def of_contract(cls, height: int, width: int, num_actions: int) -> Layout:
        """Two planes, the legal moves, the seat flags: the layout of a game about which no more is known."""
        cells = height * width
        return cls(2, 0, height, width, num_actions, contract_exchange(cells, 2 * cells + num_actions), None)


def contract_exchange(cells: int, end: int) -> Table:
    """The exchange of the replay contract: of `end` numbers, two planes of `cells` swap places, and the others stay."""
    table = np.arange(end)
    table[: 2 * cells] = np.roll(table[: 2 * cells], cells)
    return table


def layout_of(game: Game) -> Layout:
    """The layout of a game's observations."""
    exchange = exchange_of(game, game.seats) if game.seats else None
    actions = np.array(game.seats.actions) if game.seats and game.seats.actions else None
    return Layout(
        game.planes,
        game.features,
        game.height,
        game.width,
        game.num_actions,
        exchange,
        actions,
        game.kernel_side,
        game.few_legal,
    )


def exchange_of(game: Game, seats: Seats) -> Table:
    """The exchange of players as a table over the numbers of an observation before its seat flags."""
    cells = np.array(seats.cells) if seats.cells else np.arange(game.num_cells)
    planes = np.array(seats.planes) if seats.planes else swapped_pairs(game.planes)
    features = np.array(seats.features, np.int64) if seats.features else np.arange(game.features)
    actions = np.array(seats.actions) if seats.actions else np.arange(game.num_actions)
    board = (planes[:, None] * game.num_cells + cells).ravel()
    begin = game.planes * game.num_cells
    return np.concatenate([board, begin + features, begin + game.features + actions])


def swapped_pairs(count: int) -> Table:
    """1, 0, 3, 2, ...; a last one without a partner stays."""
    pairs = np.arange(count)
    pairs[: count // 2 * 2] ^= 1
    return pairs
