"""What the numbers of an observation mean: planes, features, legal moves, seat flags; and how players are exchanged."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.core.json_values import is_number, json_object
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


def layout_to_json(layout: Layout, packed_moves: int) -> str:
    """What a replay database keeps of a layout, for programs that don't have the rules; docs/formats.md describes it.

    `packed_moves`: numbers of a policy in a packed row; 0: rows are not packed.
    """
    numbers = {"planes": layout.planes, "features": layout.features, "packed_moves": packed_moves}
    tables = {"exchange": layout.exchange, "actions": layout.actions}
    return json.dumps(numbers | {name: None if table is None else table.tolist() for name, table in tables.items()})


def layout_from_json(text: str, height: int, width: int, num_actions: int) -> tuple[Layout, int]:
    """The layout that `layout_to_json` wrote for a game of these dimensions, and `packed_moves`.

    Kernels read by its tables without a check. So ValueError says what no game can have.
    """
    found = json_object(text)
    if found is None:
        raise ValueError("it is not a JSON object")
    planes, features, packed_moves = (count_in(found, name) for name in ("planes", "features", "packed_moves"))
    if packed_moves > num_actions:
        raise ValueError(f"packed_moves is {packed_moves}, and there are {num_actions} actions")
    layout = Layout(planes, features, height, width, num_actions, None, None)
    tables = table_in(found, "exchange", layout.end), table_in(found, "actions", num_actions)
    return replace(layout, exchange=tables[0], actions=tables[1]), packed_moves


def count_in(found: dict[str, Any], name: str) -> int:
    """A whole number from 0 on. Raises ValueError for anything else, also for one that is too large to be computed with."""
    count = found.get(name)
    if type(count) is not int or count < 0 or not is_number(count):
        raise ValueError(f"{name} is not a whole number from 0 on")
    return count


def table_in(found: dict[str, Any], name: str, size: int) -> Table | None:
    """A permutation of `size` numbers that is its own inverse; None for null. Raises ValueError for anything else."""
    if name not in found:
        raise ValueError(f"it has no {name}")
    table = found[name]
    if table is None:
        return None
    if not isinstance(table, list) or len(table) != size or any(type(number) is not int for number in table):
        raise ValueError(f"{name} is not a list of {size} whole numbers")
    if sorted(table) != list(range(size)) or any(table[table[at]] != at for at in range(size)):
        raise ValueError(f"{name} doesn't have each number from 0 to {size - 1} once, or is not its own inverse")
    return np.array(table, np.int64)


def exchange_of(game: Game, seats: Seats) -> Table:
    """The exchange of players as a table over the numbers of an observation before its seat flags."""
    cells = np.array(seats.cells) if seats.cells else np.arange(game.num_cells)
    planes = np.array(seats.planes) if seats.planes else swapped_pairs(game.planes)
    features = np.array(seats.features, np.int64) if seats.features else np.arange(game.features)
    actions = np.array(seats.actions) if seats.actions else np.arange(game.num_actions)
    return view_table(planes, cells, features, actions)


def view_table(planes: Table, cells: Table, features: Table, actions: Table) -> Table:
    """Four tables as one over the numbers of an observation before its seat flags."""
    board = (planes[:, None] * len(cells) + cells).ravel()
    return np.concatenate([board, len(board) + features, len(board) + len(features) + actions])


def swapped_pairs(count: int) -> Table:
    """1, 0, 3, 2, ...; a last one without a partner stays."""
    pairs = np.arange(count)
    pairs[: count // 2 * 2] ^= 1
    return pairs
