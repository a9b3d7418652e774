"""Finished games as bytes, to be sent to another machine. G games, P plies of a game, S state words, A actions, E entries.

What follows from the rest isn't sent: observations, outcomes, zeros of policies. Numbers are little-endian, in this order:

    int64 [3]           G, the plies of all games, E
    int64 [G]           the games' numbers
    int32 [G]           random moves before their plies
    int32 [G]           P of each
    uint64 [plies + G, S]  states; the last one of a game is its final position
    A's type [plies]    actions; the smallest unsigned type that has room for A
    float32 [plies]     values
    A's type [plies]    entries of each policy
    A's type [E]        their actions
    float32 [E]         their shares
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trainer.actor.moves import ply_record
from trainer.actor.played import PlayedGame
from trainer.core.errors import ReplayError
from trainer.games.base import Game

SHIPMENT_PLIES = 8192
"""Plies after which a shipment is full. It bounds what a hub needs for each player, half a megabyte of Connect 4."""


def shipments_of(games: Sequence[PlayedGame]) -> Iterator[Sequence[PlayedGame]]:
    """The games in parts that are each sent as one shipment."""
    first = plies = 0
    for at, game in enumerate(games):
        plies += len(game.actions)
        if plies >= SHIPMENT_PLIES:
            yield games[first : at + 1]
            first, plies = at + 1, 0
    if first < len(games):
        yield games[first:]


def pack(games: Sequence[PlayedGame], game: Game) -> bytes:
    """At least one finished game of `game` as bytes."""
    plies = [len(one.actions) for one in games]
    visits = np.concatenate([one.visits for one in games])
    rows, actions = np.nonzero(visits)
    parts: list[tuple[NDArray[Any], DTypeLike]] = [
        (np.array([len(games), len(visits), len(rows)]), "<i8"),
        (np.array([one.number for one in games]), "<i8"),
        (np.array([one.first_ply for one in games]), "<i4"),
        (np.array(plies), "<i4"),
        (np.concatenate([one.states for one in games]), "<u8"),
        (np.concatenate([one.actions for one in games]), action_type(game)),
        (np.concatenate([one.values for one in games]), "<f4"),
        (np.bincount(rows, minlength=len(visits)), action_type(game)),
        (actions, action_type(game)),
        (visits[rows, actions], "<f4"),
    ]
    return b"".join(part.astype(kind, copy=False).tobytes() for part, kind in parts)


def unpack(content: bytes, game: Game) -> list[PlayedGame]:
    """The inverse of `pack`. Raises ReplayError for bytes that aren't games of `game`.

    The records of the games lack `visits`, which may be packed there; they are in `PlayedGame.visits`.
    """
    take = Reader(content)
    count, total, entries = (int(number) for number in take(3, "<i8"))
    numbers, first_plies, plies = take(count, "<i8"), take(count, "<i4"), take(count, "<i4")
    states = take((total + count) * game.state_words, "<u8").reshape(-1, game.state_words)
    kind = action_type(game)
    actions, values, policies = take(total, kind), take(total, "<f4"), take(total, kind)
    policy_actions, shares = take(entries, kind), take(entries, "<f4")
    sound = (plies >= 0).all() and plies.sum() == total and policies.sum() == entries
    if not sound or take.left or (actions >= game.num_actions).any() or (policy_actions >= game.num_actions).any():
        raise ReplayError(
            f"a shipment of {len(content)} bytes doesn't hold games of {game.env_id}; is it of another game?"
        )
    visits = np.zeros((total, game.num_actions), np.float32)
    visits[np.repeat(np.arange(total), policies), policy_actions] = shares
    records = np.zeros(total + count, ply_record(game))
    records["state"] = states
    ends = np.cumsum(plies + 1)
    recorded = np.delete(np.arange(total + count), ends - 1)  # all but the final positions
    records["action"][recorded], records["value"][recorded] = actions, values
    return [
        PlayedGame(
            int(number), records[end - length - 1 : end], visits[end - length - 1 - at : end - 1 - at], int(first)
        )
        for at, (number, first, length, end) in enumerate(zip(numbers, first_plies, plies, ends, strict=True))
    ]


def action_type(game: Game) -> np.dtype[np.unsignedinteger]:
    """The smallest type of numbers that holds the actions of a game, and how many there are."""
    return np.dtype(np.min_scalar_type(game.num_actions)).newbyteorder("<")


class Reader:
    """Cuts arrays off the front of bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def __call__(self, count: int, kind: DTypeLike) -> NDArray[Any]:
        """The next `count` numbers. Raises ReplayError if there are fewer."""
        kind = np.dtype(kind)
        if count < 0 or self.left < count * kind.itemsize:
            raise ReplayError(f"a shipment of {len(self._content)} bytes is too short for what it says it holds")
        numbers = np.frombuffer(self._content, kind, count, self._at)
        self._at += count * kind.itemsize
        return numbers

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return len(self._content) - self._at
