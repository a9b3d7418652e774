"""Lines of play, counted by the kernel in `perft.py`."""

from __future__ import annotations

import numpy as np
import perft
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.games.kernels import link_kernels
from trainer.games.position import Position


def lines(env_id: str, depth: int) -> tuple[int, NDArray[np.int64]]:
    """The number of lines of exactly `depth` plies; and of lines that ended by then, by winner [4]."""

    def warm_up(linked: Linked) -> None:
        linked.perft.perft(Position.first(linked.rules).state, 1, np.zeros(4, np.int64))

    linked, winners = link_kernels(env_id, perft, warm_up=warm_up), np.zeros(4, np.int64)
    return int(linked.perft.perft(Position.first(linked.rules).state, depth, winners)), winners
