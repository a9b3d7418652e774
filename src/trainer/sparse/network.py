"""How a network and a batch are laid out in memory for the kernels in `forward.py` and `backward.py`.

B rows, I inputs of a layer, F results of a layer. All numbers of a batch are in one array, `activations`. It consists of
regions [B, width]; a region's width is a multiple of 64, and it begins at (its column) * B. `active` has one bit per number,
set if the number is not 0. A layer's inputs are read through these bits, so its work grows with the active ones alone. Three
functions read whole blocks of them, in which the others are zeros: `forward.result`, `forward.store_sum` (the inputs of a
residual layer) and `backward.add_weights`, where it runs over the active results. A residual layer has two regions: one for
its results, and one for what passed its ReLU, before the inputs were added. A layer's weights are stored in the order in
which they are read, in blocks [F / 64, I, 64].
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from trainer.sparse.lanes import BLOCK

Floats = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)

ALIGNMENT = 64
"""Bytes per cache line."""

LAYER = np.dtype(
    [
        ("source", np.int64),  # column at which the region of the inputs begins
        ("target", np.int64),  # column at which the region of the results begins
        ("passed", np.int64),  # column at which the region of what passed the ReLU begins: the target, if not residual
        ("inputs", np.int64),  # inputs per place
        ("results", np.int64),  # results per place
        ("places", np.int64),  # per row, which all use the same weights: positions of a convolution's kernel; or 1
        ("weights", np.int64),  # where the layer's weights begin
        ("bias", np.int64),  # where its biases begin
        ("adds", np.bool_),  # add to what the target region holds, instead of to the bias
        ("rectified", np.bool_),  # apply a ReLU
        ("squared", np.bool_),  # and square what it lets pass
        ("residual", np.bool_),  # add the inputs after that
    ],
    align=True,
)


class SparseNetwork(NamedTuple):
    """The layers of a network, in order. The first region is the view: the observation from the mover's side."""

    layers: NDArray[Any]
    """LAYER [L]; the last one is the two heads together: the policy logits, then the value before its tanh."""
    weights: Floats
    biases: Floats
    swapped: int
    """Cells per plane, if the first two planes are swapped when the second player moves; else 0."""
    exchange: NDArray[np.int64]
    """[seen] if more than that is exchanged: number i of the second player's view is number exchange[i]. Else [0]."""
    actions: NDArray[np.int64]
    """[A] if that exchanges actions: action a of the view is action actions[a] of the observation. Else [0]."""
    seen: int
    """Numbers of an observation that are part of the view; the rest of the view's region is 0."""
    view_width: int
    """Width of the view's region."""
    taps: NDArray[np.int64]
    """[C, view_width, T] for C convolutions, which are the first layers (C is 0 without any): the inputs of each, counted
    over all its places, that show a column of the view; -1 for none."""
    columns: int
    """Width of all regions together."""
    legal: int
    """Column of the view at which the legal moves begin, if the heads compute only their logits; else -1."""
    moves: int
    """A, if so; else 0."""
    by_result: Floats
    """The weights of such heads in blocks [I / 64, F, 64]. Else [0]."""


class Memory(NamedTuple):
    """Memory to evaluate up to R rows."""

    activations: Floats
    """[R * columns]"""
    active: NDArray[np.uint64]
    """[R * columns / 64] one bit per activation: it is not 0."""


NO_NETWORK = SparseNetwork(
    layers=np.zeros(0, LAYER),
    weights=np.zeros(0, np.float32),
    biases=np.zeros(0, np.float32),
    swapped=0,
    exchange=np.zeros(0, np.int64),
    actions=np.zeros(0, np.int64),
    seen=0,
    view_width=0,
    taps=np.zeros((0, 0, 0), np.int64),
    columns=0,
    legal=-1,
    moves=0,
    by_result=np.zeros(0, np.float32),
)
"""Stands in for a network when there is none."""


def memory_for(network: SparseNetwork, rows: int) -> Memory:
    """Memory to evaluate up to `rows` rows."""
    numbers, words = rows * network.columns, rows * network.columns // BLOCK
    return Memory(aligned(numbers, np.float32), aligned(words, np.uint64))


def aligned(length: int, dtype: type[Number]) -> NDArray[Number]:
    """An array of zeros that begins at a cache line."""
    size = length * np.dtype(dtype).itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT
    return memory[begin : begin + size].view(dtype)
