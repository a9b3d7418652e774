"""The state blob: a position as the replay contract stores it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import FLAGS, Board, Game


class StateBlob(NamedTuple):
    """The parts of state blobs, in their order. `...` is [R] for many blobs, and nothing for one."""

    cells: Board
    """uint8 [..., cells]"""
    words: Board
    """uint8 [..., 2 + flag words]: mover, winner, flags"""
    raw: NDArray[np.uint64]
    """little-endian uint64 [..., raw words]"""


def parts_of(game: Game, stored: Board) -> StateBlob:
    """The parts of `stored`, uint8 [..., state_bytes]. They are views: what is written to them is written to the blobs."""
    end = game.num_cells + FLAGS + game.flag_words
    return StateBlob(stored[..., : game.num_cells], stored[..., game.num_cells : end], stored[..., end:].view("<u8"))
